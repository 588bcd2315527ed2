package browser_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// The form of Bitrix24 begins with its first step, asks for what has an effect, and says
// why it does not ask for scopes and what a client ID is.
func TestTheFormAsksForWhatHasAnEffect(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	b.SetUp(r)
	b.Open(r.Hub.URL() + "/services/new/bitrix24")
	seen := func(selector string) bool {
		return hubtest.Script[bool](b, `document.querySelector('`+selector+`')?.checkVisibility() ?? false`)
	}
	if seen("#notices li") || hubtest.Script[bool](b, `!!document.querySelector('#notices').nextElementSibling?.matches('.eg-step')`) {
		t.Error("notices stand before the steps")
	}
	every := `[name="options.renew_every_minutes"]`
	if seen(every) {
		t.Error("the minutes are asked for although nothing is renewed by them")
	}
	b.Do("choose always fresh", chromedp.SetValue(chromedp.CSS(`[name="options.renew_policy"]`), "always_fresh"))
	hubtest.Script[bool](b, `document.querySelector('[name="options.renew_policy"]').dispatchEvent(new Event('change', {bubbles: true}))`)
	if !seen(every) {
		t.Error("the minutes are not asked for although they count")
	}
	b.See("it is no secret")
	b.See("They are not entered here.")
	if strings.Contains(b.Text("main"), "within 30 seconds") {
		t.Error("a step asks for what cannot be done here")
	}
}

// The keys that the help lists work, in a Russian layout as well; on a phone the place in
// the navigation is in sight; the settings name the hub.
func TestKeysLeadWhereTheHelpSays(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, map[string]any{"replica_name": "hub-of-the-test"})
	b := hubtest.StartBrowser(t, 1280, 900)
	b.SetUp(r)
	press := func(key, code string) {
		hubtest.Script[bool](b, `document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '`+key+`', code: '`+code+`', bubbles: true}))`)
	}
	for _, keys := range []struct{ first, second, code, path string }{
		{"g", "x", "KeyX", "/escalations"}, {"п", "ч", "KeyX", "/escalations"}, {"п", "ы", "KeyS", "/services"}, {"g", "t", "KeyT", "/settings"},
	} {
		b.Open(r.Hub.URL() + "/connections")
		press(keys.first, "KeyG")
		press(keys.second, keys.code)
		hubtest.Eventually(t, keys.first+" "+keys.second+" leads to "+keys.path, func() bool { return strings.HasSuffix(b.Address(), keys.path) })
	}
	b.Wait("#hub-name")
	b.See("hub-of-the-test")
	b.Do("be a phone", chromedp.EmulateViewport(360, 800))
	b.Open(r.Hub.URL() + "/settings")
	box := hubtest.Script[[]float64](b, `(() => { const box = document.querySelector('.eg-nav [aria-current]').getBoundingClientRect(); return [box.left, box.right, innerWidth] })()`)
	if box[0] < 0 || box[1] > box[2]+1 {
		t.Errorf("the tab is at %v", box)
	}
}

// A token says until when it is good, or since when not, and what is ours is said in the
// reader's language.
func TestDatesAndCausesAreSaidInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 390, 844)
	connection := r.AddService(t, world.Service("google-calendar"))
	r.Authorize(t, connection)
	b.SetUp(r)
	speakOf(b, r.Hub.URL()+"/connections/"+connection, "ru", 390)
	b.See("Токен действует до")
	inBounds(b, "the connection")
	speakOf(b, r.Hub.URL()+"/connections/"+connection, "en", 390)
	b.See("Token is valid until")
	speakOf(b, r.Hub.URL()+"/audit", "ru", 390)
	b.See("способ: пароль")
	if said := b.Text("main"); strings.Contains(said, "способ: password") {
		t.Errorf("the audit record says %s", said)
	}
	inBounds(b, "the audit record")
}
