package browser_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Whatever a person enters in the form of a service is stored as entered, and saving
// the form once more untouched changes nothing: for each option that a provider
// declares, of each kind that there is.
func TestWhatIsEnteredInTheFormOfAServiceIsStored(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, map[string]any{"plugins.dir": hubtest.WithEveryOption(t)})
	var providers struct {
		Items []struct {
			Name    string          `json:"name"`
			Options provider.Schema `json:"options"`
		} `json:"items"`
	}
	r.Admin.Must(t, "GET", "/api/v1/providers", nil, &providers)
	if len(providers.Items) < 5 {
		t.Fatalf("there are the providers %v", providers.Items)
	}
	b := hubtest.StartBrowser(t, 1280, 900)
	b.SetUp(r)
	for _, p := range providers.Items {
		options := p.Options.Options
		rounds := 2
		for _, o := range options {
			rounds = max(rounds, len(o.Choices))
		}
		for round := range rounds {
			what := fmt.Sprintf("%s, round %d", p.Name, round)
			address := r.Hub.URL() + "/services/" + p.Name + "-form/edit"
			if round == 0 {
				address = r.Hub.URL() + "/services/new/" + p.Name
			}
			b.Open(address)
			b.Wait(`[name="title"]`)
			if round == 0 {
				b.Fill("title", p.Name)
				b.Fill("name", p.Name+"-form")
			}
			if round == 0 && hubtest.Script[bool](b, `!!document.querySelector('[name="client_id"]')`) { // keys and logins have none
				b.Fill("client_id", "client")
				b.Fill("client_secret", "the client secret")
			}
			want := map[string]any{}
			for _, o := range options {
				e := hubtest.EntryOf(o, round)
				if at, ours := hubtest.DemoOption(world, p.Name, o.Name); ours {
					e = hubtest.Entry{Text: at, Stored: at}
				}
				b.Enter(o, e.Text)
				want[o.Name] = e.Stored
			}
			b.Save(what)
			stored := r.StoredOptions(t, p.Name+"-form")
			hubtest.CompareOptions(t, what+", as entered", want, stored)
			b.Open(r.Hub.URL() + "/services/" + p.Name + "-form/edit")
			b.Wait(`[name="title"]`)
			b.Save(what + ", untouched")
			hubtest.CompareOptions(t, what+", saved untouched", stored, r.StoredOptions(t, p.Name+"-form"))
		}
	}
}

// A service that is added with the form as it stands has every default.
func TestAFormThatIsLeftAsItIsStoresTheDefaults(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, map[string]any{"plugins.dir": hubtest.WithEveryOption(t)})
	b := hubtest.StartBrowser(t, 1280, 900)
	b.SetUp(r)
	b.Open(r.Hub.URL() + "/services/new/options")
	b.Fill("title", "Plain")
	b.Fill("name", "plain")
	b.Fill("client_id", "client")
	b.Fill("client_secret", "the client secret")
	b.Enter(provider.Option{Name: "text_required"}, "x")
	b.Enter(provider.Option{Name: "choice_required"}, "third")
	b.Enter(provider.Option{Name: "secret_required"}, "s")
	b.Save("the form")
	hubtest.CompareOptions(t, "the defaults", map[string]any{
		"text_required": "x", "choice_required": "third", "secret_required": "s", "text_default": "as usual", "number_default": 2e6, "number_bounded": 5.0,
		"box": false, "box_on": true, "box_off": false, "choice_default": "second", "list_default": []any{"one thing", "a, b"},
	}, r.StoredOptions(t, "plain"))
}

// The boxes of the other forms that use the same field are stored as they are ticked.
func TestTheBoxesOfPoliciesAndContactsAreStored(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	b.SetUp(r)
	for _, on := range []bool{true, false} {
		title := fmt.Sprintf("ticked %t", on)
		entered := func(form string) (edit string) {
			b.Save(title)
			return hubtest.Script[string](b, `[...document.querySelectorAll('main a[href^="`+form+`"]')].find(a => a.textContent.includes('`+title+`')).href`)
		}
		b.Open(r.Hub.URL() + "/escalation/policies/new")
		b.Fill("title", title)
		b.Tick("enabled", on)
		b.Tick("urgent", on)
		hubtest.Script[bool](b, `(() => { const f = document.querySelector('input[name="events"]'); if (!f.checked) f.click();
			document.querySelector('select[name="to"]').selectedIndex = 1; return true })()`)
		b.Boxes(entered("/escalation/policies/"), on, "enabled", "urgent")
		b.Open(r.Hub.URL() + "/escalation/contacts/new")
		b.Fill("title", title)
		b.Fill("zone", "Europe/Moscow")
		b.Tick("takes_rest", on)
		b.Boxes(entered("/escalation/contacts/"), on, "takes_rest")
	}
}
