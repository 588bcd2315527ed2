package definitions

import (
	"context"
	"strconv"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/definitions"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
)

// Options of Definitions.
type Options struct {
	Definitions *definitions.Definitions
	Recorder    *act.Recorder
}

// Definitions are the acts on definitions. It is safe for concurrent use.
type Definitions struct{ o Options }

// New returns Definitions.
func New(o Options) *Definitions { return &Definitions{o: o} }

// about is an act on the definition of a name.
func about(what, name string, number int64) act.Act {
	a := act.Act{Name: what, Needs: access.ActManage, On: audit.Object{Kind: "definition", Name: name}}
	if number > 0 {
		a.Detail = []string{"version", strconv.FormatInt(number, 10)}
	}
	return a
}

// Save keeps a text as a version and serves it as a draft, beside the one that is enabled.
// Errors: *definitions.RefusedError; problems of the text have lines.
func (d *Definitions) Save(ctx context.Context, text string) (kept plugindb.Definition, err error) {
	err = d.o.Recorder.Ask(ctx, about("definition.save", "", 0), func(ctx context.Context, e *act.Entry) error {
		if kept, _, err = d.o.Definitions.Save(ctx, text, plugindb.OriginWeb); err != nil {
			return err
		}
		e.Named(kept.Name)
		e.Add("version", strconv.FormatInt(kept.Number, 10), "sha256", kept.Sum)
		return d.o.Definitions.Draft(ctx, kept.Name, kept.Number)
	})
	return kept, err
}

// Enable serves a version. losses agrees to what services lose by it. Errors:
// *definitions.RefusedError, store.ErrNotFound, store.ErrStale.
func (d *Definitions) Enable(ctx context.Context, name string, number int64, losses bool) error {
	return d.o.Recorder.Ask(ctx, about("definition.enable", name, number), func(ctx context.Context, e *act.Entry) error {
		if losses {
			e.Add("losses_accepted", "yes")
		}
		return d.o.Definitions.Enable(ctx, name, number, losses)
	})
}

// Rollback serves the version before. Errors: as Enable.
func (d *Definitions) Rollback(ctx context.Context, name string, losses bool) error {
	return d.o.Recorder.Ask(ctx, about("definition.rollback", name, 0), func(ctx context.Context, e *act.Entry) error {
		number, err := d.o.Definitions.Rollback(ctx, name, losses)
		e.Add("version", strconv.FormatInt(number, 10))
		return err
	})
}

// Disable serves the shipped definition of the name again, or none. Errors: as Enable.
func (d *Definitions) Disable(ctx context.Context, name string, losses bool) error {
	return d.o.Recorder.Ask(ctx, about("definition.disable", name, 0), func(ctx context.Context, _ *act.Entry) error {
		return d.o.Definitions.Disable(ctx, name, losses)
	})
}

// Quarantine is the hub's own act on what its plugin did not take, or keeps failing with: what
// is in use is what is enabled again.
func (d *Definitions) Quarantine(ctx context.Context, reason string) error {
	ctx = act.With(ctx, act.Hub())
	a := about("definition.quarantine", "", 0)
	a.Detail = []string{"reason", reason}
	return d.o.Recorder.Look(ctx, a, func(ctx context.Context, e *act.Entry) error {
		names, err := d.o.Definitions.GoBack(ctx, reason)
		e.Named(strings.Join(names, " "))
		if err == nil && len(names) == 0 {
			e.Unchanged()
		}
		return err
	})
}

// Discard ends the draft of a definition. Errors: as Enable.
func (d *Definitions) Discard(ctx context.Context, name string) error {
	return d.o.Recorder.Ask(ctx, about("definition.discard", name, 0), func(ctx context.Context, _ *act.Entry) error {
		return d.o.Definitions.Discard(ctx, name)
	})
}
