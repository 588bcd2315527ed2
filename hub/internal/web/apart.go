package web

import (
	"net/http"
	"time"

	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// Apart shows an error page where there is no session, and so no person.
func (k *kit) Apart(w http.ResponseWriter, r *http.Request, status int) {
	wishes := []string{r.Header.Get("Accept-Language")}
	if cookie, err := r.Cookie(langCookie); err == nil {
		wishes = append([]string{cookie.Value}, wishes...)
	}
	ctx := i18n.With(r.Context(), i18n.NewSpeaker(i18n.Match(wishes...), time.Local, time.Now()))
	h := w.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := page.Failure(view.Shell{}, view.Failure{Status: status}).Render(ctx, w); err != nil {
		k.logger.Warn("write page failed", "error", err)
	}
}

// crossOrigin refuses a request of another site.
func (k *kit) crossOrigin(w http.ResponseWriter, r *http.Request) {
	k.Apart(w, r, http.StatusForbidden)
}
