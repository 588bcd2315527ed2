package hubtest

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Browser is a headless Chromium with a profile of its own. Whatever a page
// writes to its console as an error, refusals by the Content-Security-Policy
// included, fails the test.
type Browser struct {
	T   testing.TB
	Ctx context.Context

	mu       sync.Mutex
	troubles []string
	// Strange is set where pages of others are opened, which ask for fonts of others.
	Strange bool
}

// chromium is the browser's path; make test sets it.
const chromium = "EVERGRANT_TEST_CHROMIUM"

// StartBrowser starts a browser with a window of a size.
func StartBrowser(t testing.TB, width, height int) *Browser {
	t.Helper()
	path := os.Getenv(chromium)
	if path == "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is empty: CI has to test the pages in a browser", chromium)
		}
		t.Skipf("not tested in a browser: name a Chromium in %s; make test installs one", chromium)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox,
		// A page that scrolls smoothly moves a button away between its place being asked for and the click.
		chromedp.Flag("force-prefers-reduced-motion", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"), chromedp.WindowSize(width, height))
	ctx := started(t, options)
	b := &Browser{T: t, Ctx: ctx}
	console := chromedp.Console(ctx)
	go func() {
		for message, err := range console {
			if err != nil {
				return // the test has ended
			}
			b.note(message)
		}
	}()
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, trouble := range b.troubles {
			t.Errorf("the console: %s", trouble)
		}
	})
	return b
}

// started is the context of a Chromium that has an empty page. One that ends by itself
// while it starts, as happens on a busy machine, is started again.
func started(t testing.TB, options []chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	var last error
	for range 3 {
		ctx, err := start(t, append(options, chromedp.UserDataDir(t.TempDir())))
		if err == nil {
			return ctx
		}
		last = err
	}
	t.Fatalf("Chromium did not start three times: %v", last)
	return nil
}

// start starts a Chromium with an empty page.
func start(t testing.TB, options []chromedp.ExecAllocatorOption) (context.Context, error) {
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	tab, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(tab, 30*time.Minute)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		return nil, err
	}
	return ctx, watchLeaving(ctx)
}

// expected are console errors that are part of a test: a page with status 404
// or 422 is a failed resource to the browser.
func expected(text string) bool {
	return strings.Contains(text, "the server responded with a status of 4")
}

func (b *Browser) note(message chromedp.ConsoleMessage) {
	if message.Type != chromedp.ConsoleError && message.Type != chromedp.ConsoleException || expected(message.Text) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Strange && strings.Contains(message.Text, "net::ERR_NAME_NOT_RESOLVED") {
		return
	}
	b.troubles = append(b.troubles, message.String())
}

// patience is how long a page may take: far longer than it does, for a busy machine.
const patience = time.Minute

// Do does steps on the page that is there, and fails the test if they take longer than a
// minute.
func (b *Browser) Do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.T.Helper()
	b.settle()
	ctx, cancel := context.WithTimeout(b.Ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.T.Fatalf("%s: %v\nat %s:\n%s", what, err, b.Address(), b.Text("body"))
	}
}

// Open opens an address.
func (b *Browser) Open(address string) { b.Do("open "+address, chromedp.Navigate(address)) }

// Click clicks what a selector names once it can be seen.
func (b *Browser) Click(selector string) {
	b.T.Helper()
	for range 5 { // a page that comes just now takes the place of the node that was found
		b.settle()
		ctx, cancel := context.WithTimeout(b.Ctx, patience)
		err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector)))
		cancel()
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "Could not find node") {
			b.T.Fatalf("click %s: %v\nat %s:\n%s", selector, err, b.Address(), b.Text("body"))
		}
	}
	b.T.Fatalf("click %s: the page changed each time", selector)
}

// Fill replaces the value of a field by typing.
func (b *Browser) Fill(name, value string) {
	b.T.Helper()
	b.Wait(`[name="` + name + `"]`)
	Script[bool](b, `document.querySelector('[name="`+name+`"]').value = '', true`)
	b.Do("fill in "+name, chromedp.SendKeys(chromedp.CSS(`[name="`+name+`"]`), value))
}

// Wait returns once what a selector names can be seen.
func (b *Browser) Wait(selector string) {
	b.T.Helper()
	b.Do("wait for "+selector, chromedp.WaitVisible(chromedp.CSS(selector)))
}

// See waits until the page says something; it may be one that is still on its
// way.
func (b *Browser) See(text string) {
	b.T.Helper()
	deadline := time.Now().Add(patience)
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		b.settle()
		said := b.Text("body")
		if strings.Contains(said, text) {
			return
		}
		if time.Now().After(deadline) {
			b.T.Fatalf("the page does not say %q\nat %s:\n%s", text, b.Address(), said)
		}
		<-ticker.C
	}
}

// onItsWay is what a script says that came between two pages, before there was anything to
// look at.
const onItsWay = "the page is on its way"

// Script runs an expression of JavaScript as the page's own and returns its value. A page that
// is still on its way is waited for: without this, a script that follows a click looks at the
// document that the browser has only just made.
func Script[T any](b *Browser, code string) T {
	b.T.Helper()
	guarded := "(() => { if (!document.body || document.readyState === 'loading') throw new Error('" + onItsWay + "'); return (" + code + "\n) })()"
	b.settle()
	var value T
	Eventually(b.T, onItsWay, func() bool {
		var err error
		value, err = chromedp.Run(b.Ctx, chromedp.Evaluate[T](guarded))
		if err != nil && !strings.Contains(err.Error(), onItsWay) && !replaced(err) {
			b.T.Fatalf("%s: %v", code, err)
		}
		return err == nil
	})
	return value
}

// Text is what an element shows.
func (b *Browser) Text(selector string) string {
	quoted, err := json.Marshal(selector)
	if err != nil {
		return ""
	}
	text, err := chromedp.Run(b.Ctx, chromedp.Evaluate[string]("document.querySelector("+string(quoted)+")?.innerText ?? ''"))
	if err != nil {
		return err.Error()
	}
	return text
}

// Address is where the browser is.
func (b *Browser) Address() string {
	address, err := chromedp.Run(b.Ctx, chromedp.Location())
	if err != nil {
		return err.Error()
	}
	return address
}
