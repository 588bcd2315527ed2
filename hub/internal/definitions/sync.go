package definitions

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Sync makes this replica serve what the slots say.
func (d *Definitions) Sync(ctx context.Context) error {
	d.syncing.Lock()
	defer d.syncing.Unlock()
	mark, err := d.store.Plugins.DefinitionsChanged(ctx)
	if err != nil {
		return err
	}
	if err := d.load(ctx); err != nil {
		return err
	}
	if d.host == nil {
		return nil
	}
	if err := d.host.Scan(ctx); err != nil {
		return err
	}
	d.mu.Lock()
	d.mark = mark
	d.mu.Unlock()
	d.scanned()
	return nil
}

// Load reads what is to be served without a scan, for the host's first one.
func (d *Definitions) Load(ctx context.Context) error {
	d.syncing.Lock()
	defer d.syncing.Unlock()
	mark, err := d.store.Plugins.DefinitionsChanged(ctx)
	if err != nil {
		return err
	}
	if err := d.load(ctx); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mark = mark
	return nil
}

func (d *Definitions) load(ctx context.Context) error {
	s, err := d.state(ctx)
	if err != nil {
		return err
	}
	set := s.set()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.set = set
	return nil
}

// Follow takes up what another replica has changed, and what this one could not take up yet.
// It is called every few seconds.
func (d *Definitions) Follow(ctx context.Context) error {
	mark, err := d.store.Plugins.DefinitionsChanged(ctx)
	if err != nil {
		return err
	}
	d.mu.Lock()
	same, wanted := mark == d.mark, d.set.Sum()
	d.mu.Unlock()
	if same && (d.InUse() || wanted == "") {
		return nil
	}
	return d.Sync(ctx)
}

// InUse reports whether the plugin has what the slots say, or has refused it.
func (d *Definitions) InUse() bool {
	in, refused := d.host.DocumentsInUse(Plugin)
	d.mu.Lock()
	defer d.mu.Unlock()
	return in.Sum() == d.set.Sum() || refused != ""
}

// Refused is why this replica does not serve what the slots say; "" if it does.
func (d *Definitions) Refused() string {
	in, refused := d.host.DocumentsInUse(Plugin)
	d.mu.Lock()
	defer d.mu.Unlock()
	if in.Sum() == d.set.Sum() {
		return ""
	}
	return cmp.Or(refused, "it has not taken over yet")
}

// Trouble is why this replica does not serve all that is enabled; "" if it does.
func (d *Definitions) Trouble() string {
	said := d.Refused()
	for _, p := range d.host.Plugins() {
		if said == "" && p.Name == Plugin && len(p.Problems) > 0 {
			said = (&pluginhost.DocumentsError{Problems: p.Problems}).Error()
		}
	}
	return said
}

// state is what slots say, with the versions that they name.
type state struct {
	slots    map[string]plugindb.DefinitionSlot
	versions map[string]plugindb.Definition // by versionKey
}

func versionKey(name string, number int64) string { return fmt.Sprint(name, " ", number) }

func (d *Definitions) state(ctx context.Context) (state, error) {
	slots, err := d.store.Plugins.DefinitionSlots(ctx)
	if err != nil {
		return state{}, err
	}
	served, err := d.store.Plugins.ServedDefinitions(ctx)
	if err != nil {
		return state{}, err
	}
	s := state{slots: make(map[string]plugindb.DefinitionSlot, len(slots)), versions: make(map[string]plugindb.Definition, len(served))}
	for _, slot := range slots {
		s.slots[slot.Name] = slot
	}
	for _, v := range served {
		s.versions[versionKey(v.Name, v.Number)] = v
	}
	return s, nil
}

// set is what the plugin is handed.
func (s state) set() pluginhost.Documents {
	var list []providerplugin.Document
	add := func(as, name string, number int64) {
		if v, there := s.versions[versionKey(name, number)]; there {
			list = append(list, providerplugin.Document{Name: as, Version: v.Version, Sum: v.Sum, Text: []byte(v.Text)})
		}
	}
	for name, slot := range s.slots {
		add(name, name, slot.Enabled)
		add(DraftProvider(name), name, slot.Draft)
	}
	slices.SortFunc(list, func(a, b providerplugin.Document) int { return cmp.Compare(a.Name, b.Name) })
	set := pluginhost.NewDocuments(list)
	for name, slot := range s.slots {
		drafted := slot.Draft > 0 && slot.Losses == versionKey(name, slot.Draft)
		set.LossesAccepted = set.LossesAccepted || drafted || slot.Losses == versionKey(name, slot.Enabled)
	}
	return set
}

// later is now, but never before or at what was.
func later(now, was time.Time) time.Time {
	if next := was.Add(time.Millisecond); now.Before(next) {
		return next
	}
	return now
}
