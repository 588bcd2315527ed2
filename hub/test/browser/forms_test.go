package hub_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Whatever a person enters in the form of a service is stored as entered, and saving
// the form once more untouched changes nothing: for each option that a provider
// declares, of each kind that there is.
func TestWhatIsEnteredInTheFormOfAServiceIsStored(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, map[string]any{"plugins.dir": withEveryOption(t)})
	var providers struct {
		Items []struct {
			Name    string          `json:"name"`
			Options provider.Schema `json:"options"`
		} `json:"items"`
	}
	r.admin.must(t, "GET", "/api/v1/providers", nil, &providers)
	if len(providers.Items) < 5 {
		t.Fatalf("there are the providers %v", providers.Items)
	}
	b := startBrowser(t, 1280, 900)
	b.setUp(r)
	for _, p := range providers.Items {
		options := p.Options.Options
		rounds := 2
		for _, o := range options {
			rounds = max(rounds, len(o.Choices))
		}
		for round := range rounds {
			what := fmt.Sprintf("%s, round %d", p.Name, round)
			address := r.hub.URL() + "/services/" + p.Name + "-form/edit"
			if round == 0 {
				address = r.hub.URL() + "/services/new/" + p.Name
			}
			b.open(address)
			b.wait(`[name="client_id"]`)
			if round == 0 {
				b.fill("title", p.Name)
				b.fill("name", p.Name+"-form")
				b.fill("client_id", "client")
				b.fill("client_secret", "the client secret")
			}
			want := map[string]any{}
			for _, o := range options {
				e := entryOf(o, round)
				if at, ours := demoOption(world, p.Name, o.Name); ours {
					e = entry{at, at}
				}
				b.enter(o, e.text)
				want[o.Name] = e.stored
			}
			b.save(what)
			stored := r.storedOptions(t, p.Name+"-form")
			compareOptions(t, what+", as entered", want, stored)
			b.open(r.hub.URL() + "/services/" + p.Name + "-form/edit")
			b.wait(`[name="client_id"]`)
			b.save(what + ", untouched")
			compareOptions(t, what+", saved untouched", stored, r.storedOptions(t, p.Name+"-form"))
		}
	}
}

// A service that is added with the form as it stands has every default.
func TestAFormThatIsLeftAsItIsStoresTheDefaults(t *testing.T) {
	t.Parallel()
	r := startHub(t, map[string]any{"plugins.dir": withEveryOption(t)})
	b := startBrowser(t, 1280, 900)
	b.setUp(r)
	b.open(r.hub.URL() + "/services/new/options")
	b.fill("title", "Plain")
	b.fill("name", "plain")
	b.fill("client_id", "client")
	b.fill("client_secret", "the client secret")
	b.enter(provider.Option{Name: "text_required"}, "x")
	b.enter(provider.Option{Name: "choice_required"}, "third")
	b.enter(provider.Option{Name: "secret_required"}, "s")
	b.save("the form")
	compareOptions(t, "the defaults", map[string]any{
		"text_required": "x", "choice_required": "third", "secret_required": "s", "text_default": "as usual", "number_default": 2e6, "number_bounded": 5.0,
		"box": false, "box_on": true, "box_off": false, "choice_default": "second", "list_default": []any{"one thing", "a, b"},
	}, r.storedOptions(t, "plain"))
}

// The boxes of the other forms that use the same field are stored as they are ticked.
func TestTheBoxesOfPoliciesAndContactsAreStored(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	b := startBrowser(t, 1280, 900)
	b.setUp(r)
	for _, on := range []bool{true, false} {
		title := fmt.Sprintf("ticked %t", on)
		entered := func(form string) (edit string) {
			b.save(title)
			return script[string](b, `[...document.querySelectorAll('main a[href^="`+form+`"]')].find(a => a.textContent.includes('`+title+`')).href`)
		}
		b.open(r.hub.URL() + "/escalation/policies/new")
		b.fill("title", title)
		b.tick("enabled", on)
		b.tick("urgent", on)
		script[bool](b, `(() => { const f = document.querySelector('input[name="events"]'); if (!f.checked) f.click();
			document.querySelector('select[name="to"]').selectedIndex = 1; return true })()`)
		b.boxes(entered("/escalation/policies/"), on, "enabled", "urgent")
		b.open(r.hub.URL() + "/escalation/contacts/new")
		b.fill("title", title)
		b.fill("zone", "Europe/Moscow")
		b.tick("takes_rest", on)
		b.boxes(entered("/escalation/contacts/"), on, "takes_rest")
	}
}
