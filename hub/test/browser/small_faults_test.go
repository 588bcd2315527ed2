package hub_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The form of Bitrix24 begins with its first step, asks for what has an effect, and says
// why it does not ask for scopes and what a client ID is.
func TestTheFormAsksForWhatHasAnEffect(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	b := startBrowser(t, 1280, 900)
	b.setUp(r)
	b.open(r.hub.URL() + "/services/new/bitrix24")
	seen := func(selector string) bool {
		return script[bool](b, `document.querySelector('`+selector+`')?.checkVisibility() ?? false`)
	}
	if seen("#notices li") || script[bool](b, `!!document.querySelector('#notices').nextElementSibling?.matches('.eg-step')`) {
		t.Error("notices stand before the steps")
	}
	every := `[name="options.renew_every_minutes"]`
	if seen(every) {
		t.Error("the minutes are asked for although nothing is renewed by them")
	}
	b.do("choose always fresh", chromedp.SetValue(chromedp.CSS(`[name="options.renew_policy"]`), "always_fresh"))
	script[bool](b, `document.querySelector('[name="options.renew_policy"]').dispatchEvent(new Event('change', {bubbles: true}))`)
	if !seen(every) {
		t.Error("the minutes are not asked for although they count")
	}
	b.see("it is no secret")
	b.see("They are not entered here.")
	if strings.Contains(b.text("main"), "within 30 seconds") {
		t.Error("a step asks for what cannot be done here")
	}
}

// The keys that the help lists work, in a Russian layout as well; on a phone the place in
// the navigation is in sight; the settings name the hub.
func TestKeysLeadWhereTheHelpSays(t *testing.T) {
	t.Parallel()
	r := startHub(t, map[string]any{"replica_name": "hub-of-the-test"})
	b := startBrowser(t, 1280, 900)
	b.setUp(r)
	press := func(key, code string) {
		script[bool](b, `document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '`+key+`', code: '`+code+`', bubbles: true}))`)
	}
	for _, keys := range []struct{ first, second, code, path string }{
		{"g", "x", "KeyX", "/escalations"}, {"п", "ч", "KeyX", "/escalations"}, {"п", "ы", "KeyS", "/services"}, {"g", "t", "KeyT", "/settings"},
	} {
		b.open(r.hub.URL() + "/connections")
		press(keys.first, "KeyG")
		press(keys.second, keys.code)
		eventually(t, keys.first+" "+keys.second+" leads to "+keys.path, func() bool { return strings.HasSuffix(b.address(), keys.path) })
	}
	b.wait("#hub-name")
	b.see("hub-of-the-test")
	b.do("be a phone", chromedp.EmulateViewport(360, 800))
	b.open(r.hub.URL() + "/settings")
	box := script[[]float64](b, `(() => { const box = document.querySelector('.eg-nav [aria-current]').getBoundingClientRect(); return [box.left, box.right, innerWidth] })()`)
	if box[0] < 0 || box[1] > box[2]+1 {
		t.Errorf("the tab is at %v", box)
	}
}

// A token says until when it is good, or since when not, and what is ours is said in the
// reader's language.
func TestDatesAndCausesAreSaidInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	b := startBrowser(t, 390, 844)
	connection := r.addService(t, world.Service("google-calendar"))
	r.authorise(t, connection)
	b.setUp(r)
	b.speakOf(r.hub.URL()+"/connections/"+connection, "ru", 390)
	b.see("Токен действует до")
	b.inBounds("the connection")
	b.speakOf(r.hub.URL()+"/connections/"+connection, "en", 390)
	b.see("Token is valid until")
	b.speakOf(r.hub.URL()+"/audit", "ru", 390)
	b.see("способ: пароль")
	if said := b.text("main"); strings.Contains(said, "способ: password") {
		t.Errorf("the audit record says %s", said)
	}
	b.inBounds("the audit record")
}
