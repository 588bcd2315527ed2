package hubtest

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/evergrant/evergrant/plugins/demo"
)

// Password is the password of everybody in tests.
const Password = "correct horse battery"

// SetUp makes the first administrator through the one-time link.
func (b *Browser) SetUp(r *Running) {
	b.T.Helper()
	link, err := r.Hub.SetupLink(b.T.Context())
	if err != nil {
		b.T.Fatal(err)
	}
	b.Open(link)
	b.Fill("name", "Анна Петрова")
	b.Fill("login", "anna")
	b.Fill("password", Password)
	b.Fill("repeat", Password)
	b.Click("form button[type=submit].btn-primary")
	b.Wait("nav")
}

// Connect makes a connection and lands at the service's own login page.
func (b *Browser) Connect(r *Running, s *demo.Service, name string) {
	b.T.Helper()
	b.Open(r.Hub.URL() + "/connections/new?service=" + s.Name)
	b.Fill("title", "Касса № 1 — "+s.Title)
	b.Fill("name", name)
	b.Click(`button[name="then"][value="authorize"]`)
	b.Wait(`button[name="decision"][value="allow"]`) // by itself: the page in between moves on
	if !strings.HasPrefix(b.Address(), s.Address) {
		b.T.Fatalf("the browser is at %s, not at the service", b.Address())
	}
}

// Menu opens the menu of more actions and clicks one of them.
func (b *Browser) Menu(selector string) {
	b.T.Helper()
	b.Click(".eg-actions details.eg-menu summary")
	b.Click(selector)
}

// Asked does what the hub asks about first.
func (b *Browser) Asked(what string) {
	b.T.Helper()
	b.Menu(`[data-opens="` + what + `"]`)
	b.Click(`dialog#` + what + ` button[type=submit]`)
}

// LogIn logs somebody in who has an account.
func (b *Browser) LogIn(r *Running, login string) {
	b.T.Helper()
	b.Open(r.Hub.URL() + "/login")
	b.Fill("login", login)
	b.Fill("password", Password)
	b.Click("form button[type=submit].btn-primary")
	b.Wait("nav")
}

// ServiceForm is what an administrator enters for an emulated service.
func ServiceForm(s *demo.Service) url.Values {
	form := url.Values{"name": {s.Name}, "title": {s.Title}, "client_id": {s.ClientID}, "client_secret": {s.ClientSecret}, "scopes": s.Scopes}
	for name, value := range s.Options {
		form.Set("options."+name, fmt.Sprint(value))
	}
	return form
}

var checkRE = regexp.MustCompile(`(?s)<div id="check".*?<div class="eg-form-foot">`)

// CheckOf is the part of a page that says what the check of a service found.
func CheckOf(page string) string { return checkRE.FindString(page) }
