package installer

import (
	"context"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/hub/internal/pluginpack"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
)

// Trust has signatures by a key count: packages that it signed are verified from
// now on, and those that wait once JudgeAgain was called. public is minisign's line. Errors: *RefusedError.
func (i *Installer) Trust(ctx context.Context, title, public string) (plugindb.PluginKey, error) {
	key, err := pluginpack.ReadKey(title, public)
	if err != nil {
		return plugindb.PluginKey{}, refuse(CodePackage, "%v", err)
	}
	k := plugindb.PluginKey{ID: key.ID, Title: title, Public: key.Public, TrustedAt: time.Now()}
	return k, i.store.Plugins.TrustKey(ctx, k)
}

// Revoke ends the trust in a key. Packages that it signed and that are approved stay so;
// others must be confirmed, once JudgeAgain was called. Errors: store.ErrNotFound.
func (i *Installer) Revoke(ctx context.Context, id string) (plugindb.PluginKey, error) {
	keys, err := i.store.Plugins.PluginKeys(ctx)
	if err != nil {
		return plugindb.PluginKey{}, err
	}
	for _, k := range keys {
		if k.ID != id {
			continue
		}
		k.RevokedAt = time.Now()
		return k, i.store.Plugins.TrustKey(ctx, k)
	}
	return plugindb.PluginKey{}, fmt.Errorf("revoke the key %s: %w", id, store.ErrNotFound)
}

// JudgeAgain judges the packages that wait and say to be of a key that is trusted now, or
// not any more. It unpacks them: call it outside of transactions.
func (i *Installer) JudgeAgain(ctx context.Context, keyID string) error {
	packages, err := i.store.Plugins.Packages(ctx)
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
		if err := i.store.Plugins.MovePackage(ctx, p, Staged, Verified); err != nil {
			return err
		}
	}
	return nil
}
