package definitions

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/sdk/definition"
)

// Save keeps a text as a version, unless it is one already. Errors: *RefusedError.
func (d *Definitions) Save(ctx context.Context, text, origin string) (kept plugindb.Definition, added bool, err error) {
	read, err := d.Check(text)
	if err != nil {
		return plugindb.Definition{}, false, err
	}
	return d.store.Plugins.AddDefinition(ctx, plugindb.Definition{
		Name: read.Name, Version: read.Version, Sum: sumOf(text), Text: text, Origin: origin, AddedAt: time.Now(), AddedBy: audit.From(ctx).Name,
	})
}

// Draft serves a version beside the enabled one, under the name DraftProvider. What services
// of a draft lose by the next one nobody has to agree to. It waits for the plugin to start.
// Errors: *RefusedError, store.ErrNotFound, store.ErrStale.
func (d *Definitions) Draft(ctx context.Context, name string, number int64) error {
	return d.move(ctx, name, number, true, func(slot *plugindb.DefinitionSlot) error {
		slot.Draft = number
		return nil
	})
}

// Enable serves a version in the place of the one before; if it is the draft, that ends. It
// waits for the plugin to start: call it outside of transactions. Errors: *RefusedError,
// store.ErrNotFound, store.ErrStale.
func (d *Definitions) Enable(ctx context.Context, name string, number int64, losses bool) error {
	return d.move(ctx, name, number, losses, func(slot *plugindb.DefinitionSlot) error {
		if slot.Enabled != number {
			slot.Previous, slot.Enabled = slot.Enabled, number
		}
		if slot.Draft != number {
			return nil
		}
		slot.Draft = 0
		return d.draftIsFree(ctx, name)
	})
}

// Disable serves the shipped definition of a name again, or none. Errors: *RefusedError.
func (d *Definitions) Disable(ctx context.Context, name string, losses bool) error {
	shipped, err := d.shippedOne(ctx, name)
	if err != nil {
		return err
	}
	if shipped == nil {
		if err := d.isFree(ctx, name); err != nil {
			return err
		}
	}
	return d.move(ctx, name, 0, losses, func(slot *plugindb.DefinitionSlot) error {
		if slot.Enabled == 0 {
			return refuse(CodeNothing, "No version of "+name+" that was added here is enabled.", "Ни одна добавленная здесь версия "+name+" не включена.")
		}
		slot.Previous, slot.Enabled = slot.Enabled, 0
		return nil
	})
}

// Rollback serves the version before again; which one it was is returned, 0 is the shipped
// one. Errors: *RefusedError.
func (d *Definitions) Rollback(ctx context.Context, name string, losses bool) (number int64, err error) {
	s, err := d.state(ctx)
	if err != nil {
		return 0, err
	}
	slot := s.slots[name]
	switch {
	case slot.Previous != 0:
		return slot.Previous, d.Enable(ctx, name, slot.Previous, losses)
	case slot.Enabled != 0:
		return 0, d.Disable(ctx, name, losses)
	}
	return 0, refuse(CodeNothing, "There is no version of "+name+" to go back to.", "У "+name+" нет версии, к которой можно вернуться.")
}

// Discard ends the draft of a name. Errors: *RefusedError.
func (d *Definitions) Discard(ctx context.Context, name string) error {
	if err := d.draftIsFree(ctx, name); err != nil {
		return err
	}
	return d.move(ctx, name, 0, true, func(slot *plugindb.DefinitionSlot) error {
		if slot.Draft == 0 {
			return refuse(CodeNothing, name+" has no draft.", "У "+name+" нет черновика.")
		}
		slot.Draft = 0
		return nil
	})
}

// move changes a slot once the plugin has shown that it serves what comes of it.
func (d *Definitions) move(ctx context.Context, name string, number int64, losses bool, change func(*plugindb.DefinitionSlot) error) error {
	s, err := d.state(ctx)
	if err != nil {
		return err
	}
	was := s.slots[name]
	next := was
	next.Name = name
	if err := change(&next); err != nil {
		return err
	}
	if number > 0 {
		v, err := d.store.Plugins.Definition(ctx, name, number)
		if err != nil {
			return err
		}
		if problems := d.nameProblems(v.Text, name); len(problems) > 0 {
			return refuse(CodeTaken, problems[0].Text.EN, problems[0].Text.RU)
		}
		s.versions[versionKey(name, number)] = v
	}
	s.slots = maps.Clone(s.slots)
	s.slots[name] = next
	set := s.set()
	if err := d.try(ctx, name, set, losses); err != nil {
		return err
	}
	next.Problem = ""
	if next.Losses = ""; losses {
		next.Losses = versionKey(name, number) // replicas that come later have been agreed for, too
	}
	err = d.store.Plugins.ChangeDefinition(ctx, name, func(slot *plugindb.DefinitionSlot) error {
		if !slot.UpdatedAt.Equal(was.UpdatedAt) {
			return store.ErrStale
		}
		*slot = next
		slot.UpdatedAt, slot.UpdatedBy = later(time.Now(), was.UpdatedAt), audit.From(ctx).Name
		return nil
	})
	if err != nil {
		return err
	}
	return d.take(ctx)
}

// take has this replica follow a change that is written.
func (d *Definitions) take(ctx context.Context) error {
	if err := d.Sync(ctx); err != nil {
		return err
	}
	if said := d.Refused(); said != "" {
		return failed(said)
	}
	return nil
}

// try starts the plugin with a set beside the running one. What is wrong with definitions of
// other names does not count: it was so before.
func (d *Definitions) try(ctx context.Context, name string, set pluginhost.Documents, losses bool) error {
	err := d.host.TryDocuments(ctx, Plugin, set)
	if lost, ok := errors.AsType[*pluginhost.LossError](err); ok {
		if losses {
			return nil
		}
		return refuse(CodeLosses, "Services would lose something: "+lost.Error(), "Сервисы кое-что потеряют: "+lost.Error())
	}
	if wrong, ok := errors.AsType[*pluginhost.DocumentsError](err); ok {
		refused := refuse(CodeProblems, "The plugin does not serve it.", "Плагин этого не обслуживает.")
		for _, p := range wrong.Problems {
			if p.Name == name || p.Name == DraftProvider(name) {
				refused.Problems = append(refused.Problems, definition.Problem{Line: p.Line, Text: p.Text})
			}
		}
		if len(refused.Problems) > 0 {
			return refused
		}
		return nil
	}
	if errors.Is(err, pluginhost.ErrUnknownProvider) {
		return failed("the plugin " + Plugin + " is not there")
	}
	if err != nil {
		return failed(err.Error())
	}
	return nil
}

func failed(said string) error {
	return refuse(CodeFailed, fmt.Sprintf("The plugin %s does not serve it: %s.", Plugin, said), fmt.Sprintf("Плагин %s этого не обслуживает: %s.", Plugin, said))
}
