package plugins

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
)

// Trust has signatures by a key count, also those of packages that wait. public is
// minisign's line. Errors: *installer.RefusedError.
func (p *Plugins) Trust(ctx context.Context, title, public string) (k plugindb.PluginKey, err error) {
	a := act.Act{Name: "plugin.trust", Needs: access.ActManage, On: audit.Object{Kind: "plugin_key"}, Detail: []string{"title", title}}
	err = p.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		k, err = p.o.Installer.Trust(ctx, title, public)
		e.Named(k.ID)
		return err
	})
	if err != nil {
		return k, err
	}
	return k, p.o.Installer.JudgeAgain(ctx, k.ID)
}

// AgreeKey has a name of providers be signed by another trusted key from now on: an
// owner's act, because whoever holds the key can replace what runs under the name. Errors:
// *installer.RefusedError, store.ErrNotFound.
func (p *Plugins) AgreeKey(ctx context.Context, name, keyID string) error {
	a := act.Act{Name: "plugin.publisher", Needs: access.ActConsent, On: audit.Object{Kind: "plugin_key", Name: keyID}, Detail: []string{"name", name}}
	return p.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) error {
		was, err := p.o.Installer.AgreeKey(ctx, name, keyID)
		if err == nil && was == keyID {
			e.Unchanged()
		}
		e.Add("was", was)
		return err
	})
}

// Revoke ends the trust in a key. Errors: store.ErrNotFound.
func (p *Plugins) Revoke(ctx context.Context, id string) error {
	a := act.Act{Name: "plugin.revoke", Needs: access.ActManage, On: audit.Object{Kind: "plugin_key", Name: id}}
	err := p.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) error {
		k, err := p.o.Installer.Revoke(ctx, id)
		e.Add("title", k.Title)
		return err
	})
	if err != nil {
		return err
	}
	return p.o.Installer.JudgeAgain(ctx, id)
}
