package emulator

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
)

//go:embed page.css
var pageCSS string

//go:embed page.html
var pageHTML string

var (
	pages = template.Must(template.New("page.html").Funcs(template.FuncMap{
		"css": func() template.CSS { return template.CSS(pageCSS) }, //nolint:gosec // our own file, embedded
	}).Parse(pageHTML))

	// pagePolicy lets a page have its own style and nothing else. It has no
	// form-action: browsers apply it to the redirect that follows the form, too, and
	// that one leads to the client.
	pagePolicy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'sha256-" + digest(pageCSS) + "'"
)

type consentPage struct {
	Question
	Text            texts
	Accounts        Directory
	Login, Password string
	Problem         string
	Ticked          func(scope string) bool
}

func (p consentPage) show(w http.ResponseWriter, status int) {
	show(w, status, "consent", p)
}

type notePage struct {
	Service string
	Text    texts
	// Code is shown to be copied; Problem is an error's code, Detail its text.
	Code, Problem, Detail string
}

// ShowProblem shows an error to the person instead of redirecting to the client. Code is
// the service's own, detail what to do about it.
func ShowProblem(w http.ResponseWriter, r *http.Request, service string, status int, code, detail string) {
	NoteResult(r, code)
	show(w, status, "note", notePage{Service: service, Text: textFor(r), Problem: code, Detail: detail})
}

// ShowCode shows an authorization code that the person carries to the client by hand.
func ShowCode(w http.ResponseWriter, r *http.Request, service, code string) {
	show(w, http.StatusOK, "note", notePage{Service: service, Text: textFor(r), Code: code})
}

func show(w http.ResponseWriter, status int, name string, data any) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(w, "the page of the emulator is broken: "+err.Error(), http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", pagePolicy)
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes())
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}
