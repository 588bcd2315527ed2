package definitions

import (
	"context"
	"errors"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/definitions"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
)

// TakeFile is the hub's own act on a file of the watched folder. One that has changed is
// enabled; one that was there when the hub was started only if it is not known yet, so that
// what people have done since stays. What a removed file had is disabled, unless services
// use it. How it went is noted for the pages. Errors: *definitions.RefusedError, store.ErrStale.
func (d *Definitions) TakeFile(ctx context.Context, f definitions.File) error {
	ctx = act.With(ctx, act.Hub())
	note := definitions.FileNote{Name: f.Name, Definition: f.Definition}
	a := about("definition.file", f.Definition, 0)
	a.Detail = []string{"file", f.Name}
	err := d.o.Recorder.Look(ctx, a, func(ctx context.Context, e *act.Entry) error {
		if f.Gone {
			note.Gone = f.Definition != ""
			return d.fileGone(ctx, e, f)
		}
		return d.fileCame(ctx, e, f, &note)
	})
	switch refused, ok := errors.AsType[*definitions.RefusedError](err); {
	case ok:
		note.Said, note.Problems = refused.Text, refused.Problems
	case err != nil:
		d.o.Definitions.Folder().Again(f.Name) // the database may come back
		return err
	case f.Gone:
		note.Definition, note.Gone = "", false
	}
	d.o.Definitions.Folder().Note(note)
	return err
}

func (d *Definitions) fileCame(ctx context.Context, e *act.Entry, f definitions.File, note *definitions.FileNote) error {
	kept, added, err := d.o.Definitions.Save(ctx, f.Text, plugindb.OriginFolder)
	if err != nil {
		return err
	}
	e.Named(kept.Name)
	e.Add("sha256", kept.Sum)
	note.Definition = kept.Name
	if f.First && !added {
		e.Unchanged()
		return nil
	}
	return d.o.Definitions.Enable(ctx, kept.Name, kept.Number, false)
}

func (d *Definitions) fileGone(ctx context.Context, e *act.Entry, f definitions.File) error {
	item, err := d.o.Definitions.One(ctx, f.Definition)
	if err != nil {
		return err
	}
	if v := item.Enabled(); v == nil || v.Origin != plugindb.OriginFolder {
		e.Unchanged()
		return nil
	}
	return d.o.Definitions.Disable(ctx, f.Definition, false)
}
