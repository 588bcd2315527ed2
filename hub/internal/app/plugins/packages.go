package plugins

import (
	"context"
	"io"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
)

// Stage takes a package's file. It returns it as it is kept; one that is there already
// stays as it was. Errors: *installer.RefusedError; nothing is kept then.
func (p *Plugins) Stage(ctx context.Context, file io.Reader) (kept plugindb.Package, err error) {
	var in *installer.Incoming
	defer func() {
		if in != nil {
			in.Drop()
		}
	}()
	a := act.Act{Name: "plugin.stage", Needs: access.ActManage, On: audit.Object{Kind: "plugin"}}
	err = p.o.Recorder.Prepared(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		in, err = p.o.Installer.Receive(ctx, file)
		e.Named(in.Package.Name)
		e.Add("version", in.Package.Version, "sha256", in.Package.Sum)
		return err
	}, func(ctx context.Context, e *act.Entry) error {
		pack, added, err := p.o.Installer.Keep(ctx, in)
		if err != nil {
			return err
		}
		if kept = pack; !added {
			e.Unchanged()
		}
		e.Add("signer", pack.Signer, "state", pack.State, "problem", pack.Problem)
		return nil
	})
	return kept, err
}

// Approve lets a package be enabled and talk to the hosts of its manifest. One that nobody
// trusted has signed, or that is in quarantine, needs its whole sum in confirm. Errors:
// *installer.RefusedError, store.ErrNotFound.
func (p *Plugins) Approve(ctx context.Context, sum, confirm string) (plugindb.Package, error) {
	var done installer.Approval
	a, err := p.onPackage(ctx, sum, act.Act{Name: "plugin.approve"})
	if err != nil {
		return done.Package, err
	}
	err = p.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		done, err = p.o.Installer.Approve(ctx, sum, confirm)
		if err == nil && done.Was == installer.Approved {
			e.Unchanged()
		}
		e.Add("signer", done.Signer, "was", done.Was, "problem", done.Problem, "hosts", strings.Join(done.Hosts, " "), "names", strings.Join(done.Names, " "))
		return err
	})
	return done.Package, err
}

// onPackage is an act on a package. One that there is not is recorded as it was asked for.
func (p *Plugins) onPackage(ctx context.Context, sum string, a act.Act) (act.Act, error) {
	pack, err := p.o.Installer.Package(ctx, sum)
	a = on(pack.Name, a)
	a.Detail = append(a.Detail, "version", pack.Version, "sha256", sum)
	if err != nil {
		return a, p.o.Recorder.Attempted(ctx, a, err)
	}
	return a, nil
}

// Enable makes a package the one that runs under its name. Errors:
// *installer.RefusedError, store.ErrNotFound.
func (p *Plugins) Enable(ctx context.Context, sum string, consent installer.Consent) error {
	a, err := p.onPackage(ctx, sum, act.Act{Name: "plugin.enable"})
	if err != nil {
		return err
	}
	return p.o.Recorder.Ask(ctx, a, func(ctx context.Context, e *act.Entry) error {
		was, err := p.o.Installer.Enable(ctx, sum, consent)
		e.Add("from", was.From, "downgrade", yes(was.Older), "losses_accepted", yes(consent.Losses))
		return err
	})
}

func yes(on bool) string {
	if on {
		return "yes"
	}
	return ""
}

// Discard removes a package that does not run. Errors: store.ErrInUse, store.ErrNotFound.
func (p *Plugins) Discard(ctx context.Context, sum string) error {
	a, err := p.onPackage(ctx, sum, act.Act{Name: "plugin.discard"})
	if err != nil {
		return err
	}
	return p.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) error { return p.o.Installer.Discard(ctx, sum) })
}
