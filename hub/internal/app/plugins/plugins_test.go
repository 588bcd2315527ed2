package plugins_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/app/plugins"
	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// What packages are taken, run and put aside is tested with the installer.

func TestEveryActIsRecorded(t *testing.T) {
	apptest.EveryActIsRecorded(t, "Plugins", "List", "Status", "Package", "Keys", "Names")
}

func each(t *testing.T, test func(t *testing.T, st *store.Store, p *plugins.Plugins)) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		i, err := installer.New(installer.Options{Store: st, Dir: t.TempDir(), Logger: hclog.NewNullLogger()})
		if err != nil {
			t.Fatal(err)
		}
		test(t, st, plugins.New(plugins.Options{Installer: i, Recorder: apptest.Recorder(st)}))
	})
}

func TestActsOnPluginsAreRecordedWithHowTheyWent(t *testing.T) {
	each(t, func(t *testing.T, st *store.Store, p *plugins.Plugins) {
		ann := apptest.As(t, "ann", "u1", access.RoleAdministrator)
		if err := errors.Join(p.Disable(ann, "acme"), p.Resume(ann, "acme"), p.Pin(ann, "acme")); err != nil {
			t.Error(err)
		}
		apptest.Want(t, st, "ann plugin.disable done acme", "ann plugin.resume done acme", "ann plugin.pin done acme")
		if err := p.Rollback(ann, "acme"); !refused(err) {
			t.Errorf("went back to nothing: %v", err)
		}
		apptest.Want(t, st, "ann plugin.rollback begun acme", "ann plugin.rollback refused acme")
		if _, err := p.Stage(ann, strings.NewReader("no package")); !refused(err) {
			t.Errorf("what is no package was taken: %v", err)
		}
		if _, err := p.Trust(ann, "Acme", "no key"); !refused(err) {
			t.Errorf("what is no key is trusted: %v", err)
		}
		if err := p.Revoke(ann, "none"); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		if err := p.Discard(ann, "none"); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		apptest.Want(t, st, "ann plugin.stage refused", "ann plugin.trust refused", "ann plugin.revoke refused none", "ann plugin.discard refused")
	})
}

func refused(err error) bool {
	_, ok := errors.AsType[*installer.RefusedError](err)
	return ok && act.Refusal(err)
}

func TestWhoMayNotChangesNoPlugin(t *testing.T) {
	each(t, func(t *testing.T, st *store.Store, p *plugins.Plugins) {
		operator := apptest.As(t, "olga", "u2", access.RoleOperator)
		_, one := p.Stage(operator, bytes.NewReader(nil))
		_, two := p.Trust(operator, "Acme", "a key")
		for _, err := range []error{one, two, p.Disable(operator, "acme"), p.Rollback(operator, "acme"), p.Remove(operator, "acme")} {
			if !errors.Is(err, act.ErrNotAllowed) {
				t.Error(err)
			}
		}
		apptest.Want(t, st, "olga plugin.stage refused", "olga plugin.trust refused", "olga plugin.disable refused acme", "olga plugin.rollback refused acme", "olga plugin.remove refused acme")
		if slots, err := st.Plugins.Slots(t.Context()); err != nil || len(slots) != 0 {
			t.Errorf("changed %+v: %v", slots, err)
		}
	})
}

func TestTheHubPutsAPackageAsideByItself(t *testing.T) {
	each(t, func(t *testing.T, st *store.Store, p *plugins.Plugins) {
		if err := p.Quarantine(t.Context(), "acme", "none", "it crashes"); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		apptest.Want(t, st, "plugin.quarantine refused acme")
	})
}
