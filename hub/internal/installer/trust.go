package installer

import (
	"context"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/pluginpack"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// Trust has signatures by a key count: packages that it signed are verified from
// now on, also those that wait. public is minisign's line. Errors: *RefusedError.
func (i *Installer) Trust(ctx context.Context, title, public string) (store.PluginKey, error) {
	key, err := pluginpack.ReadKey(title, public)
	if err != nil {
		return store.PluginKey{}, refuse(CodePackage, "%v", err)
	}
	k := store.PluginKey{ID: key.ID, Title: title, Public: key.Public, TrustedAt: time.Now()}
	if err := i.store.TrustKey(ctx, k); err != nil {
		return k, err
	}
	i.audit.Record(ctx, "plugin.trust", audit.Object{Kind: "plugin_key", Name: k.ID}, "title", title)
	return k, i.judgeAgain(ctx, k.ID)
}

// Revoke ends the trust in a key. What it signed and is approved goes on; what is
// not must be confirmed. Errors: store.ErrNotFound.
func (i *Installer) Revoke(ctx context.Context, id string) error {
	keys, err := i.store.PluginKeys(ctx)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.ID != id {
			continue
		}
		k.RevokedAt = time.Now()
		if err := i.store.TrustKey(ctx, k); err != nil {
			return err
		}
		i.audit.Record(ctx, "plugin.revoke", audit.Object{Kind: "plugin_key", Name: id}, "title", k.Title)
		return i.judgeAgain(ctx, id)
	}
	return fmt.Errorf("revoke the key %s: %w", id, store.ErrNotFound)
}

// judgeAgain judges the packages that wait and say to be of a key.
func (i *Installer) judgeAgain(ctx context.Context, keyID string) error {
	packages, err := i.store.Packages(ctx)
	if err != nil {
		return err
	}
	for _, p := range packages {
		if p.Signer != keyID || (p.State != Staged && p.State != Verified) {
			continue
		}
		unpacked, err := i.unpack(ctx, p.Sum)
		if err != nil {
			return err
		}
		judged, err := i.judged(ctx, unpacked)
		if err != nil {
			return err
		}
		if judged.State == p.State {
			continue
		}
		p.State, p.Problem = judged.State, judged.Problem
		if err := i.store.MovePackage(ctx, p, Staged, Verified); err != nil {
			return err
		}
	}
	return nil
}
