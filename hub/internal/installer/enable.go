package installer

import (
	"context"
	"slices"
	"time"

	"golang.org/x/mod/semver"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
)

// Approve allows a package to be enabled and to reach the hosts of its manifest. One
// without the signature of a trusted key, in quarantine, or that takes names of providers
// without a publisher for the first time, needs its whole sum in confirm. What it names is
// tied to its key then (names.go). Errors: *RefusedError, store.ErrNotFound.
func (i *Installer) Approve(ctx context.Context, sum, confirm string) (Approval, error) {
	p, err := i.store.Plugins.Package(ctx, sum)
	if err != nil {
		return Approval{}, err
	}
	done := Approval{Package: p, Was: p.State}
	switch {
	case p.State == Approved:
		return done, nil
	case p.State != Verified && confirm != p.Sum:
		refused := refuse(CodeUnsigned, "%s %s is not verified: %s. To run it nevertheless, confirm its SHA-256.", p.Name, p.Version, p.Problem)
		refused.With = p.Sum
		return done, refused
	}
	m, err := manifestOf(p)
	if err != nil {
		return done, err
	}
	naming, err := i.mayName(ctx, p, m, confirm == p.Sum)
	if err != nil {
		return done, err
	}
	if err := i.tie(ctx, naming.New, p.Signer); err != nil {
		return done, err
	}
	done.Names = naming.New
	p.State, p.ApprovedAt, p.ApprovedBy = Approved, time.Now(), audit.From(ctx).Name
	done.Package, done.Hosts = p, m.Hosts()
	return done, i.store.Plugins.MovePackage(ctx, p, Staged, Verified, Quarantined)
}

// Approval is an approved package.
type Approval struct {
	plugindb.Package

	// Was is its state before; Approved if nothing was changed.
	Was string
	// Hosts are the patterns of what it may talk to.
	Hosts []string
	// Names are those that were tied to its key by this.
	Names []string
}

// Enabling is what is known of a package that is enabled.
type Enabling struct {
	// From is the version that ran before; empty for none. Older is set if the package is
	// older than that.
	From  string
	Older bool
}

// Consent is what an administrator accepts when a version is enabled.
type Consent struct {
	// Downgrade allows an older version than the one that runs.
	Downgrade bool
	// Losses allows a version without something that services use; the refusal with
	// CodeLosses names each.
	Losses bool
}

// Enable makes a package the one that runs under its name. The host starts it beside the running version; if
// that fails, the old one keeps running and the error is the reason. It waits for plugins to
// start: call it outside of transactions. Errors: *RefusedError, store.ErrNotFound.
func (i *Installer) Enable(ctx context.Context, sum string, consent Consent) (e Enabling, err error) {
	p, err := i.store.Plugins.Package(ctx, sum)
	if err != nil {
		return e, err
	}
	if p.State != Approved {
		return e, refuse(CodeState, "%s %s is %s; approve it first", p.Name, p.Version, p.State)
	}
	if e.From, err = i.versionOf(ctx, p.Name); err != nil {
		return e, err
	}
	e.Older = e.From != "" && semver.Compare("v"+p.Version, "v"+e.From) < 0
	if e.Older && !consent.Downgrade {
		refused := refuse(CodeDowngrade, "%s %s is older than %s, which runs; confirm the downgrade, or roll back", p.Name, p.Version, e.From)
		refused.With = p.Sum
		return e, refused
	}
	if !consent.Losses {
		if err := i.loses(ctx, p.Name, p.Sum); err != nil {
			return e, err
		}
	}
	_, err = i.change(ctx, p.Name, func(slot *plugindb.Slot) error {
		if slot.Pinned && slot.Sum != p.Sum {
			return refuse(CodePinned, "%s is pinned to its version; unpin it first", p.Name)
		}
		if slot.Sum != p.Sum {
			slot.Earlier, slot.Previous, slot.Sum = slot.Previous, slot.Sum, p.Sum
		}
		if slot.Losses = ""; consent.Losses {
			slot.Losses = p.Sum
		}
		slot.Enabled = true
		return nil
	})
	if err != nil {
		return e, err
	}
	return e, i.works(ctx, p.Name, p.Sum)
}

// versionOf is the package's version that runs under a name; "" if none does.
func (i *Installer) versionOf(ctx context.Context, name string) (string, error) {
	slots, err := i.store.Plugins.Slots(ctx)
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(slots, func(s plugindb.Slot) bool { return s.Name == name })
	if at < 0 || slots[at].Sum == "" {
		return "", nil
	}
	p, err := i.store.Plugins.Package(ctx, slots[at].Sum)
	return p.Version, err
}

// works reports why the host does not run what was just enabled; nil if it does.
func (i *Installer) works(ctx context.Context, name, sum string) error {
	for _, p := range i.host.Plugins() {
		if p.Name != name {
			continue
		}
		if p.Package == sum && len(p.Providers) > 0 {
			return nil
		}
		reason := p.LastError
		if p.Refused != "" {
			reason = p.Refused
		}
		if p.Package != sum {
			return refuse(CodeFailed, "the new version of %s does not work here, the one before goes on: %s", name, reason)
		}
		return refuse(CodeFailed, "%s does not work here: %s", name, reason)
	}
	return ctx.Err()
}
