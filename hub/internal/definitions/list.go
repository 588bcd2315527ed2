package definitions

import (
	"context"
	"maps"
	"slices"

	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/sdk/definition"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Item is a definition with its versions.
type Item struct {
	Name string
	// Read is the one that is served, else the newest; nil if this hub cannot read it.
	Read *definition.Definition
	// Shipped is the one that the plugin has by itself; nil if there is none.
	Shipped *providerplugin.Document
	Slot    plugindb.DefinitionSlot
	// Versions are those that were added here, the newest first.
	Versions []plugindb.Definition
	// Unverified counts the facts of Read that are marked so.
	Unverified int
	// Uses are its services and those of its draft.
	Uses []Use
	// ServedBy is another plugin that serves the name instead; "" is none.
	ServedBy string
}

// Enabled is the version that is served; nil is the shipped one, or none.
func (i Item) Enabled() *plugindb.Definition { return i.Version(i.Slot.Enabled) }

// Version is one of the versions; nil if there is none of the number.
func (i Item) Version(number int64) *plugindb.Definition {
	at := slices.IndexFunc(i.Versions, func(v plugindb.Definition) bool { return v.Number == number })
	if at < 0 {
		return nil
	}
	return &i.Versions[at]
}

// Text is the document of a version; number 0 is the shipped one.
func (i Item) Text(number int64) (text string, ok bool) {
	if v := i.Version(number); v != nil {
		return v.Text, true
	}
	if number == 0 && i.Shipped != nil {
		return string(i.Shipped.Text), true
	}
	return "", false
}

// Served counts the services of the definition.
func (i Item) Served() int { return i.count(i.Name) }

// Tried counts the services of the draft.
func (i Item) Tried() int { return i.count(DraftProvider(i.Name)) }

func (i Item) count(provider string) (n int) {
	for _, use := range i.Uses {
		if use.Provider == provider {
			n++
		}
	}
	return n
}

// List reads all definitions, by name. What the plugin ships is missing if it does not run;
// the error is then its own, beside the rest.
func (d *Definitions) List(ctx context.Context) (items []Item, plugin error, err error) {
	versions, err := d.store.Plugins.Definitions(ctx)
	if err != nil {
		return nil, nil, err
	}
	return d.items(ctx, versions, func(string) bool { return true })
}

// One reads a definition. Errors: store.ErrNotFound.
func (d *Definitions) One(ctx context.Context, name string) (Item, error) {
	versions, err := d.store.Plugins.DefinitionVersions(ctx, name)
	if err != nil {
		return Item{}, err
	}
	items, _, err := d.items(ctx, versions, func(other string) bool { return other == name })
	if err != nil {
		return Item{}, err
	}
	if len(items) == 0 {
		return Item{}, store.ErrNotFound
	}
	return items[0], nil
}

// items are the definitions of versions, with what is shipped and served of the names that
// are wanted.
func (d *Definitions) items(ctx context.Context, versions []plugindb.Definition, wanted func(name string) bool) (items []Item, plugin error, err error) {
	slots, err := d.store.Plugins.DefinitionSlots(ctx)
	if err != nil {
		return nil, nil, err
	}
	uses, err := d.uses(ctx)
	if err != nil {
		return nil, nil, err
	}
	byName := map[string]*Item{}
	item := func(name string) *Item {
		if byName[name] == nil {
			byName[name] = &Item{Name: name, Slot: plugindb.DefinitionSlot{Name: name}, Uses: slices.Concat(uses[name], uses[DraftProvider(name)])}
		}
		return byName[name]
	}
	shipped, plugin := d.Shipped(ctx)
	for i, x := range shipped {
		if wanted(x.Name) {
			item(x.Name).Shipped = &shipped[i]
		}
	}
	for _, v := range versions {
		i := item(v.Name)
		i.Versions = append(i.Versions, v)
	}
	for _, slot := range slots {
		if wanted(slot.Name) {
			item(slot.Name).Slot = slot
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		items = append(items, d.filled(*byName[name]))
	}
	return items, plugin, nil
}

// filled adds what the document says.
func (d *Definitions) filled(i Item) Item {
	text, ok := i.Text(i.Slot.Enabled)
	if !ok && len(i.Versions) > 0 {
		text = i.Versions[0].Text
	}
	if i.Read = d.reads(text); i.Read != nil {
		for _, e := range i.Read.Evidence {
			if e.Kind == definition.EvidenceUnverified {
				i.Unverified++
			}
		}
	}
	if by := d.servedBy(i.Name); by != "" && by != Plugin {
		i.ServedBy = by
	}
	return i
}

// mostRead bounds the documents that are kept read.
const mostRead = 1000

// reads parses a document once.
func (d *Definitions) reads(text string) *definition.Definition {
	sum := sumOf(text)
	d.mu.Lock()
	defer d.mu.Unlock()
	if known, ok := d.read[sum]; ok {
		return known
	}
	if len(d.read) >= mostRead {
		clear(d.read)
	}
	parsed, err := definition.Parse([]byte(text))
	if err != nil {
		parsed = nil
	}
	d.read[sum] = parsed
	return parsed
}

func sumOf(text string) string { return providerplugin.SumOf([]byte(text)) }

// Shipped returns the documents that the plugin has by itself. It starts the plugin at the
// first call. Errors: those of pluginhost.Host.Shipped.
func (d *Definitions) Shipped(ctx context.Context) ([]providerplugin.Document, error) {
	program := ""
	for _, p := range d.host.Plugins() {
		if p.Name == Plugin {
			program = p.Sum
		}
	}
	d.mu.Lock()
	known, of := d.shipped, d.shippedOf
	d.mu.Unlock()
	if program == "" {
		return nil, pluginhost.ErrUnknownProvider
	}
	if of == program {
		return known, nil
	}
	shipped, err := d.host.Shipped(ctx, Plugin)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shipped, d.shippedOf = shipped, program
	return shipped, nil
}

func (d *Definitions) shippedOne(ctx context.Context, name string) (*providerplugin.Document, error) {
	shipped, err := d.Shipped(ctx)
	if err != nil {
		return nil, failed(err.Error())
	}
	at := slices.IndexFunc(shipped, func(x providerplugin.Document) bool { return x.Name == name })
	if at < 0 {
		return nil, nil //nolint:nilnil // none is shipped
	}
	return &shipped[at], nil
}

// Compared is a version beside the one that is enabled.
type Compared struct {
	// Number is the version's; 0 is the shipped one.
	Number int64
	Lines  []DiffLine
}

// Compare compares a version with the one that is enabled; false if there is none of the
// number.
func (i Item) Compare(number int64) (Compared, bool) {
	text, ok := i.Text(number)
	if !ok {
		return Compared{}, false
	}
	enabled, _ := i.Text(i.Slot.Enabled)
	return Compared{Number: number, Lines: Diff(enabled, text)}, true
}
