package authserver

import (
	_ "embed"
	"html/template"
	"net/http"
	"strings"
)

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Parse(pageSource))

// showPage writes the login-and-consent page. Its form posts back to the same
// address, so that the authorization request stays in the query.
func (s *Server) showPage(w http.ResponseWriter, r *http.Request, problem string) {
	q := r.URL.Query()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Frame-Options", "DENY")
	if problem != "" {
		w.WriteHeader(http.StatusForbidden)
	}
	first := s.config.Accounts[0]
	_ = page.Execute(w, map[string]any{ // the browser may have gone
		"Action": r.URL.RequestURI(), "Client": q.Get("client_id"), "Scopes": strings.Fields(q.Get("scope")),
		"Login": first.Login, "Password": first.Password, "Accounts": s.config.Accounts, "Problem": problem,
	})
}
