package hubtest

import (
	"context"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// marksLeaving runs in each document before its own scripts and notes that the document is
// about to be replaced: from a click on a link or the sending of a form on, which is before the
// browser has asked for the next document.
const marksLeaving = `(() => {
	const leave = e => { if (!e.defaultPrevented) window.evergrantLeaving = true };
	const elsewhere = a => a.target && a.target !== '_self' || a.hasAttribute('download') || a.protocol.indexOf('http') !== 0 ||
		a.hash && a.href.split('#')[0] === location.href.split('#')[0];
	window.addEventListener('click', e => { const a = e.target.closest && e.target.closest('a[href]'); if (a && !elsewhere(a)) leave(e) });
	window.addEventListener('submit', e => { if (!e.target.target || e.target.target === '_self') leave(e) });
	window.addEventListener('beforeunload', leave);
	window.addEventListener('pageshow', () => { window.evergrantLeaving = false });
})()`

// arrived is true in a document that stays: one that is there with what its scripts make of it,
// and is not about to be replaced.
const arrived = "(!!document.body && document.readyState === 'complete' && !window.evergrantLeaving)"

// download is how long a document may be about to be replaced: one that is still there then
// was left for a file, which replaces nothing.
const download = 20 * time.Second

// watchLeaving makes every document of the browser note that it is about to be replaced.
func watchLeaving(ctx context.Context) error {
	return chromedp.Do(ctx, func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: marksLeaving})
		return chromedp.Void{}, err
	})
}

// settle waits for a page that is on its way. Without this, what follows a click may look at
// the document that the click is about to replace, or act on it.
func (b *Browser) settle() {
	b.T.Helper()
	since := time.Now()
	Eventually(b.T, onItsWay, func() bool {
		there, err := chromedp.Run(b.Ctx, chromedp.Evaluate[bool](arrived))
		if err != nil && !replaced(err) {
			b.T.Fatalf("look whether the page is there: %v", err)
		}
		if err == nil && !there && time.Since(since) > download {
			there, err = chromedp.Run(b.Ctx, chromedp.Evaluate[bool]("window.evergrantLeaving = false, !!document.body"))
		}
		return err == nil && there
	})
}

// replaced reports whether a script failed because its document was replaced meanwhile.
func replaced(err error) bool {
	return strings.Contains(err.Error(), "context was destroyed") || strings.Contains(err.Error(), "Cannot find") ||
		strings.Contains(err.Error(), "navigated or closed")
}
