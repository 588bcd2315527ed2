package installer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/pluginpack"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// everything ends the name of a publisher, which stands for all its providers.
const everything = ".*"

// namesOf are the names that a manifest takes: its publisher's, or those of its providers
// if they have no publisher. A package is of one publisher.
func namesOf(m *pluginpack.Manifest) (names []string, err *RefusedError) {
	publisher := provider.PublisherOf(m.Providers[0].Name)
	for _, served := range m.Providers {
		name := served.Name
		if of := provider.PublisherOf(name); of != publisher {
			return nil, refuse(CodePackage, "the package serves %s and %s: all providers of a package are of one publisher", m.Providers[0].Name, name)
		} else if of != "" {
			name = of + everything
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// Naming is what a package's names of providers ask of people before it is approved.
type Naming struct {
	// Names are those that the package takes; see plugindb.Name.
	Names []string
	// Bare is set if they have no publisher and are not tied to the package's key yet.
	Bare bool
	// New are the names that approving ties to the package's key.
	New []string
	// Others are tied to another key than the package's.
	Others []plugindb.Name
}

// namingOf compares what a package takes with whose the names are.
func namingOf(p plugindb.Package, m *pluginpack.Manifest, tied []plugindb.Name) (Naming, *RefusedError) {
	names, refused := namesOf(m)
	n := Naming{Names: names}
	if refused != nil {
		return n, refused
	}
	proven := p.State != Staged // a signature that nobody could judge is of no key
	for _, name := range names {
		at := slices.IndexFunc(tied, func(t plugindb.Name) bool { return t.Name == name })
		switch {
		case at >= 0 && (!proven || tied[at].KeyID != p.Signer):
			n.Others = append(n.Others, tied[at])
		case at < 0 && p.State == Verified:
			n.New = append(n.New, name)
			n.Bare = n.Bare || !strings.HasSuffix(name, everything)
		}
	}
	return n, nil
}

// mayName refuses a package whose names are of somebody else, or have no publisher and are
// not confirmed.
func (i *Installer) mayName(ctx context.Context, p plugindb.Package, m *pluginpack.Manifest, confirmed bool) (Naming, error) {
	tied, err := i.store.Plugins.Names(ctx)
	if err != nil {
		return Naming{}, err
	}
	n, refused := namingOf(p, m, tied)
	if refused != nil {
		return n, refused
	}
	if len(n.Others) > 0 {
		return n, refuse(CodePublisher, "%s %s serves %s, which the key %s signs; this package is %s. An owner of the hub has to agree to another key first.",
			p.Name, p.Version, n.Others[0].Name, n.Others[0].KeyID, signedBy(p))
	}
	if n.Bare && !confirmed {
		refused := refuse(CodeUnsigned, "%s %s serves %s, a name without a publisher, which is for plugins of the hub. If it is your own, confirm its SHA-256.", p.Name, p.Version, strings.Join(n.New, ", "))
		refused.With = p.Sum
		return n, refused
	}
	return n, nil
}

func signedBy(p plugindb.Package) string {
	if p.State == Staged || p.Signer == "" {
		return "not signed by a trusted key"
	}
	return "signed by the key " + p.Signer
}

// tie ties names to the key of a package.
func (i *Installer) tie(ctx context.Context, names []string, keyID string) error {
	for _, name := range names {
		err := i.store.Plugins.SaveName(ctx, plugindb.Name{Name: name, KeyID: keyID, AgreedAt: time.Now(), AgreedBy: audit.From(ctx).Name})
		if err != nil {
			return err
		}
	}
	return nil
}

// AgreeKey ties a name that is tied already to another trusted key, and returns the key that
// it was tied to. Errors: *RefusedError, store.ErrNotFound for a name that is not tied.
func (i *Installer) AgreeKey(ctx context.Context, name, keyID string) (was string, err error) {
	tied, err := i.store.Plugins.Names(ctx)
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(tied, func(t plugindb.Name) bool { return t.Name == name })
	if at < 0 {
		return "", fmt.Errorf("agree to a key for %s: %w", name, store.ErrNotFound)
	}
	keys, err := i.store.Plugins.PluginKeys(ctx)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(keys, func(k plugindb.PluginKey) bool { return k.ID == keyID && k.RevokedAt.IsZero() }) {
		return "", refuse(CodePublisher, "the key %s is not trusted here; trust it first", keyID)
	}
	return tied[at].KeyID, i.tie(ctx, []string{name}, keyID)
}

// Names are whose the names of providers are, by name.
func (i *Installer) Names(ctx context.Context) ([]plugindb.Name, error) {
	return i.store.Plugins.Names(ctx)
}
