package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// person plays the one who authorises at the pages of oidc-provider, with a
// browser that knows forms, redirects and cookies.
type person struct {
	t       *testing.T
	browser *http.Client
}

func newPerson(t *testing.T) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &person{t: t, browser: &http.Client{Jar: jar, CheckRedirect: stay}}
}

var (
	formAction = regexp.MustCompile(`<form[^>]*action="([^"]+)"`)
	formPrompt = regexp.MustCompile(`name="prompt" value="([^"]+)"`)
	abortLink  = regexp.MustCompile(`href="([^"]+/abort)"`)
)

// authorise opens the address, logs in and consents, or goes back at the consent
// page. It returns the parameters with which the browser reaches the callback.
func (p *person) authorise(address string, consents bool) url.Values {
	p.t.Helper()
	var form url.Values
	for range 20 {
		location, page := p.open(address, form)
		form = nil
		switch {
		case strings.HasPrefix(location, callback+"?"):
			u, err := url.Parse(location)
			if err != nil {
				p.t.Fatal(err)
			}
			return u.Query()
		case location != "":
			address = p.resolve(address, location)
		default:
			address, form = p.answer(address, page, consents)
		}
	}
	p.t.Fatal("the person is sent round in circles")
	return nil
}

// answer fills in the form of a page.
func (p *person) answer(at, page string, consents bool) (string, url.Values) {
	p.t.Helper()
	action, prompt := formAction.FindStringSubmatch(page), formPrompt.FindStringSubmatch(page)
	if action == nil || prompt == nil {
		p.t.Fatalf("oidc-provider shows no form, but\n%s", page)
	}
	if link := abortLink.FindStringSubmatch(page); prompt[1] == "consent" && !consents && link != nil {
		return p.resolve(at, link[1]), nil
	}
	form := url.Values{"prompt": {prompt[1]}}
	if prompt[1] == "login" {
		form.Set("login", "anna")
		form.Set("password", "any")
	}
	return p.resolve(at, action[1]), form
}

// open makes one request, a POST if there is a form, and returns where it leads
// or the page.
func (p *person) open(address string, form url.Values) (location, page string) {
	p.t.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(p.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := p.browser.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.Header.Get("Location"), string(body)
}

func (p *person) resolve(at, reference string) string {
	p.t.Helper()
	base, err := url.Parse(at)
	if err != nil {
		p.t.Fatal(err)
	}
	u, err := base.Parse(reference)
	if err != nil {
		p.t.Fatal(err)
	}
	return u.String()
}
