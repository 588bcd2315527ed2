package definitions

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
)

// GoBack points the slots to what the plugin has in use here: it did not take what they say,
// or keeps failing with it. Otherwise the next start of a hub would serve it again. The names
// that were changed are returned.
func (d *Definitions) GoBack(ctx context.Context, reason string) (names []string, err error) {
	s, err := d.state(ctx)
	if err != nil {
		return nil, err
	}
	in, _ := d.host.DocumentsInUse(Plugin)
	used := in.Sums()
	for name, slot := range s.slots {
		enabled, draft := used[name], used[DraftProvider(name)]
		if s.sumOf(name, slot.Enabled) == enabled && s.sumOf(name, slot.Draft) == draft {
			continue
		}
		versions, err := d.store.Plugins.DefinitionVersions(ctx, name)
		if err != nil {
			return names, err
		}
		err = d.store.Plugins.ChangeDefinition(ctx, name, func(now *plugindb.DefinitionSlot) error {
			if !now.UpdatedAt.Equal(slot.UpdatedAt) {
				return nil // somebody has changed it since
			}
			now.Enabled, now.Draft, now.Previous = numberOf(versions, enabled, slot.Previous), numberOf(versions, draft, 0), 0
			now.Problem, now.Losses = reason, ""
			now.UpdatedAt, now.UpdatedBy = later(time.Now(), slot.UpdatedAt), ""
			return nil
		})
		if err != nil {
			return names, err
		}
		names = append(names, name)
	}
	return names, d.Sync(ctx)
}

func (s state) sumOf(name string, number int64) string {
	return s.versions[versionKey(name, number)].Sum
}

// numberOf is the version with a sum, the one that is preferred if there are several; 0 if
// there is none.
func numberOf(versions []plugindb.Definition, sum string, preferred int64) (number int64) {
	for _, v := range versions {
		if v.Sum == sum && (number == 0 || v.Number == preferred) {
			number = v.Number
		}
	}
	return number
}
