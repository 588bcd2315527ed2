package installer_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/pluginpack"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// serving has a package serve providers of these names.
func serving(names ...string) func(*pluginpack.Manifest) {
	return func(m *pluginpack.Manifest) {
		m.Providers = nil
		for _, name := range names {
			m.Providers = append(m.Providers, pluginpack.Provider{Name: name, Hosts: []string{"auth.example.com"}})
		}
	}
}

func refusedBy(err error, code string) bool {
	refused, ok := errors.AsType[*installer.RefusedError](err)
	return ok && refused.Code == code
}

func (r *replica) trusts(t *testing.T, by *author) string {
	t.Helper()
	k, err := r.Trust(t.Context(), "Somebody", by.public)
	if err != nil {
		t.Fatal(err)
	}
	return k.ID
}

func TestAPublishersNamesAreTiedToItsKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r, acme, other := newReplica(t, st), newAuthor(t), newAuthor(t)
		first, second := r.trusts(t, acme), r.trusts(t, other)
		p := r.stage(t, packed(t, acme, "acme", "1.0.0", "evergrant-provider-acme.crm"))
		if _, err := r.Approve(t.Context(), p.Sum, ""); err != nil {
			t.Fatalf("a signed package of a publisher: %v", err)
		}
		if err := r.Enable(t.Context(), p.Sum, installer.Consent{}); err != nil {
			t.Fatal(err)
		}
		if ds := r.host.Descriptions(); len(ds) != 1 || ds[0].Name != "acme.crm" {
			t.Errorf("served are %v", ds)
		}
		// Another provider of the publisher, by the same key, asks nothing more.
		p = r.stage(t, packed(t, acme, "acme-bank", "1.0.0", "evergrant-provider-acme.bank"))
		if _, err := r.Approve(t.Context(), p.Sum, ""); err != nil {
			t.Errorf("another plugin of the publisher: %v", err)
		}
		// By another key, though trusted, it is refused, whatever an administrator confirms.
		p = r.stage(t, packed(t, other, "acme", "1.1.0", "evergrant-provider-acme.crm"))
		if _, err := r.Approve(t.Context(), p.Sum, p.Sum); !refusedBy(err, installer.CodePublisher) || !strings.Contains(err.Error(), first) || !strings.Contains(err.Error(), second) {
			t.Errorf("by another key: %v", err)
		}
		unsigned := r.stage(t, packed(t, nil, "acme", "1.2.0", "evergrant-provider-acme.crm"))
		if _, err := r.Approve(t.Context(), unsigned.Sum, unsigned.Sum); !refusedBy(err, installer.CodePublisher) {
			t.Errorf("without a signature: %v", err)
		}
		anna := act.With(t.Context(), act.Person(peopledb.User{Login: "anna", Role: access.RoleAdministrator}, "", ""))
		if err := r.acts.AgreeKey(anna, "acme.*", second); !errors.Is(err, act.ErrNotAllowed) {
			t.Errorf("an administrator agreed: %v", err)
		}
		olga := act.With(t.Context(), act.Person(peopledb.User{Login: "olga", Role: access.RoleOwner}, "", ""))
		if err := r.acts.AgreeKey(olga, "acme.*", "0000000000000000"); !refusedBy(err, installer.CodePublisher) {
			t.Errorf("a key that nobody trusts: %v", err)
		}
		if err := r.acts.AgreeKey(olga, "nobody.*", second); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a name that nobody has: %v", err)
		}
		if err := r.acts.AgreeKey(olga, "acme.*", second); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Approve(t.Context(), p.Sum, ""); err != nil {
			t.Errorf("once an owner has agreed: %v", err)
		}
		if names, err := r.Names(t.Context()); err != nil || len(names) != 1 || names[0].Name != "acme.*" || names[0].KeyID != second || names[0].AgreedBy != "olga" {
			t.Errorf("%+v: %v", names, err)
		}
	})
}

func TestANameWithoutAPublisherIsConfirmedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r, acme, other := newReplica(t, st), newAuthor(t), newAuthor(t)
		r.trusts(t, acme)
		r.trusts(t, other)
		p := r.stage(t, packed(t, acme, "crm", "1.0.0", "evergrant-provider-crm"))
		if _, err := r.Approve(t.Context(), p.Sum, ""); !refusedBy(err, installer.CodeUnsigned) || !strings.Contains(err.Error(), "a name without a publisher") {
			t.Errorf("taken without a word: %v", err)
		}
		if _, err := r.Approve(t.Context(), p.Sum, p.Sum); err != nil {
			t.Fatal(err)
		}
		p = r.stage(t, packed(t, acme, "crm", "1.1.0", "evergrant-provider-crm"))
		if _, err := r.Approve(t.Context(), p.Sum, ""); err != nil {
			t.Errorf("the next version by the same key: %v", err)
		}
		p = r.stage(t, packed(t, other, "crm", "1.2.0", "evergrant-provider-crm"))
		if _, err := r.Approve(t.Context(), p.Sum, p.Sum); !refusedBy(err, installer.CodePublisher) {
			t.Errorf("by another key: %v", err)
		}
		// What nobody signed is confirmed as ever, and ties nothing.
		p = r.stage(t, packed(t, nil, "own", "1.0.0", "evergrant-provider-own"))
		if _, err := r.Approve(t.Context(), p.Sum, p.Sum); err != nil {
			t.Error(err)
		}
		if names, err := r.Names(t.Context()); err != nil || len(names) != 1 || names[0].Name != "crm" {
			t.Errorf("%+v: %v", names, err)
		}
	})
}

func TestAPackageIsRefusedThatCannotRunHere(t *testing.T) {
	r := newReplica(t, storetest.SQLite(t))
	for name, c := range map[string]struct {
		change func(*pluginpack.Manifest)
		want   string
	}{
		"two publishers":       {serving("acme.crm", "other.crm"), "all providers of a package are of one publisher"},
		"a publisher and none": {serving("acme.crm", "crm"), "all providers of a package are of one publisher"},
		"a feature": {func(m *pluginpack.Manifest) { m.Requires.Needs = []string{"telepathy"} },
			"acme 1.0.0 cannot run on this hub: it needs the feature telepathy, which this hub does not have: update the hub"},
		"limits": {func(m *pluginpack.Manifest) { m.Requires.Limits = providerplugin.Limits{Steps: 99} }, "it asks for 99 requests in one operation"},
	} {
		_, err := r.Stage(t.Context(), bytes.NewReader(packed(t, nil, "acme", "1.0.0", "evergrant-provider-acme", c.change)))
		if !refusedBy(err, installer.CodePackage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
