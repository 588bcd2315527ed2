package installer_test

import (
	"context"
	"io"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
)

// A replica does what it is asked for by the acts, as pages and API do.

// acting is the context of the person whom it names, or of the hub.
func acting(ctx context.Context) context.Context {
	if name := audit.From(ctx).Name; name != "" {
		return act.With(ctx, act.Person(peopledb.User{Login: name, Role: access.RoleAdministrator}, "", ""))
	}
	return act.With(ctx, act.Hub())
}

func (r *replica) Stage(ctx context.Context, file io.Reader) (plugindb.Package, error) {
	return r.acts.Stage(acting(ctx), file)
}

func (r *replica) Approve(ctx context.Context, sum, confirm string) (plugindb.Package, error) {
	return r.acts.Approve(acting(ctx), sum, confirm)
}

func (r *replica) Enable(ctx context.Context, sum string, consent installer.Consent) error {
	return r.acts.Enable(acting(ctx), sum, consent)
}

func (r *replica) Discard(ctx context.Context, sum string) error {
	return r.acts.Discard(acting(ctx), sum)
}

func (r *replica) Disable(ctx context.Context, name string) error {
	return r.acts.Disable(acting(ctx), name)
}

func (r *replica) Resume(ctx context.Context, name string) error {
	return r.acts.Resume(acting(ctx), name)
}

func (r *replica) Rollback(ctx context.Context, name string) error {
	return r.acts.Rollback(acting(ctx), name)
}

func (r *replica) Remove(ctx context.Context, name string) error {
	return r.acts.Remove(acting(ctx), name)
}

func (r *replica) Trust(ctx context.Context, title, public string) (plugindb.PluginKey, error) {
	return r.acts.Trust(acting(ctx), title, public)
}

func (r *replica) Revoke(ctx context.Context, id string) error {
	return r.acts.Revoke(acting(ctx), id)
}

func (r *replica) Pin(ctx context.Context, name string, pinned bool) error {
	if pinned {
		return r.acts.Pin(acting(ctx), name)
	}
	return r.acts.Unpin(acting(ctx), name)
}
