package hubtest

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/plugins/demo"
	"github.com/evergrant/evergrant/sdk/provider"
)

// WithEveryOption adds the provider that declares an option of every kind to a folder
// of the real plugins.
func WithEveryOption(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	plugins, err := filepath.Glob(filepath.Join(PluginsDir, "evergrant-provider-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, plugin := range plugins {
		if err := os.Link(plugin, filepath.Join(dir, filepath.Base(plugin))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := plugintest.Put(dir, "options", "hub/test/hubtest/testdata/options"); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Database opens the file of a hub's database beside the hub.
func (r *Running) Database(t *testing.T, mode string) *sql.DB {
	t.Helper()
	file := filepath.Join(r.Dir, "evergrant.db")
	pool, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: file, RawQuery: "_pragma=busy_timeout(10000)&mode=" + mode}).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	return pool
}

// Execute runs a statement on the database of a hub, which may be writing to it.
func (r *Running) Execute(t *testing.T, statement string) {
	t.Helper()
	if _, err := r.Database(t, "rw").ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// StoredOptions reads a service's options out of the database's file, secrets included.
func (r *Running) StoredOptions(t *testing.T, name string) map[string]any {
	t.Helper()
	box, err := seal.Open(filepath.Join(r.Dir, "evergrant.key"))
	if err != nil {
		t.Fatal(err)
	}
	pool := r.Database(t, "ro")
	defer func() { _ = pool.Close() }()
	var id string
	var sealed []byte
	if err := pool.QueryRowContext(t.Context(), "SELECT id, secrets FROM services WHERE name = ?", name).Scan(&id, &sealed); err != nil {
		t.Fatal(err)
	}
	plain, err := box.Open(sealed, "services", id, "secrets")
	if err != nil {
		t.Fatal(err)
	}
	var secrets struct {
		Options map[string]any `json:"options"`
	}
	if err := json.Unmarshal(plain, &secrets); err != nil {
		t.Fatal(err)
	}
	return secrets.Options
}

// Entry is what a person enters for an option, and what has to be stored.
type Entry struct {
	Text   string
	Stored any
}

// EntryOf makes up an entry that differs from round to round; 0 says yes to every box.
func EntryOf(o provider.Option, round int) Entry {
	example := o.Example
	if example == "" {
		example = fmt.Sprintf("entered %d", round)
	}
	switch {
	case o.Type == provider.OptionBoolean:
		return Entry{strconv.FormatBool(round%2 == 0), round%2 == 0}
	case o.Type == provider.OptionInteger && o.Minimum != o.Maximum:
		n := o.Minimum + int64(round)%(o.Maximum-o.Minimum+1)
		return Entry{fmt.Sprint(n), float64(n)}
	case o.Type == provider.OptionInteger:
		return Entry{fmt.Sprint(1_000_000 * round), float64(1_000_000 * round)}
	case o.Type == provider.OptionList && o.Secret: // one line, so words
		return Entry{fmt.Sprintf("a%d b", round), []any{fmt.Sprintf("a%d", round), "b"}}
	case o.Type == provider.OptionList && o.Example != "":
		return Entry{example + "\n" + example + "2", []any{example, example + "2"}}
	case o.Type == provider.OptionList:
		return Entry{example + "\na, b", []any{example, "a, b"}}
	case len(o.Choices) > 0:
		chosen := o.Choices[round%len(o.Choices)].Value
		return Entry{chosen, chosen}
	default:
		return Entry{example, example}
	}
}

// Enter fills in the field of an option as it is shown.
func (b *Browser) Enter(o provider.Option, text string) {
	b.T.Helper()
	field, _ := json.Marshal(`[name="options.` + o.Name + `"]:not([type=hidden])`)
	value, _ := json.Marshal(text)
	if !Script[bool](b, fmt.Sprintf(`(() => { const f = document.querySelector(%s); if (!f) return false;
		if (f.type === 'checkbox') { if (f.checked !== (%s === 'true')) f.click() } else { f.value = %s; f.dispatchEvent(new Event('input', {bubbles: true})) }
		return f.type === 'checkbox' || f.value === %s })()`, field, value, value, value)) {
		b.T.Errorf("the option %s takes no %q", o.Name, text)
	}
}

// Save sends the form and waits for the next page.
func (b *Browser) Save(what string) {
	b.T.Helper()
	from := b.Address()
	b.Click(`main form button[type=submit].btn-primary`)
	Eventually(b.T, what+" is saved", func() bool {
		// One look, which the navigation that is awaited may break off.
		problem, err := chromedp.Run(b.Ctx, chromedp.Evaluate[string](`(() => { const p = document.querySelector('.eg-error, [role=alert] .is-bad'); return p ? p.innerText : '' })()`))
		if err == nil && problem != "" {
			b.T.Fatalf("%s is not saved: %s\n%s", what, problem, b.Text("main"))
		}
		state, err := chromedp.Run(b.Ctx, chromedp.Evaluate[string](`location.href + ' ' + document.readyState`))
		address, ready, _ := strings.Cut(state, " ")
		return err == nil && address != from && ready == "complete"
	})
}

// DemoOption is the address of an emulated service that an option has to name.
func DemoOption(world *demo.World, providerName, option string) (string, bool) {
	s := world.Service(providerName)
	if s == nil { // of a provider that is not emulated
		return "", false
	}
	value, there := s.Options[option]
	text, ok := value.(string)
	return text, there && ok
}

// CompareOptions holds what is stored of a service against what was entered.
func CompareOptions(t *testing.T, what string, want, stored map[string]any) {
	t.Helper()
	for name, value := range want {
		if !reflect.DeepEqual(stored[name], value) {
			t.Errorf("%s: the option %s is stored as %#v, want %#v", what, name, stored[name], value)
		}
	}
	for name := range stored {
		if _, there := want[name]; !there {
			t.Errorf("%s: there is an option %s = %#v", what, name, stored[name])
		}
	}
}

// Tick leaves a box as a person wants it.
func (b *Browser) Tick(name string, on bool) {
	b.T.Helper()
	b.Wait(`[name="title"]`)
	Script[bool](b, fmt.Sprintf(`(() => { const f = document.querySelector('input[type=checkbox][name="%s"]'); if (f.checked !== %t) f.click(); return true })()`, name, on))
}

// Boxes wants the boxes of the form at an address as they were left, now and after
// saving it untouched.
func (b *Browser) Boxes(address string, on bool, names ...string) {
	b.T.Helper()
	for range 2 {
		b.Open(address)
		b.Wait(`[name="title"]`)
		for _, name := range names {
			if got := Script[bool](b, fmt.Sprintf(`document.querySelector('input[type=checkbox][name="%s"]').checked`, name)); got != on {
				b.T.Errorf("%s: the box %s is %t, want %t", address, name, got, on)
			}
		}
		b.Save(address)
	}
}
