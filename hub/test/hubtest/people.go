package hubtest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Visitor is a browser without a window: cookies, no redirects.
type Visitor struct {
	T    testing.TB
	Base string
	HTTP *http.Client
}

// NewVisitor is somebody who has not logged in yet.
func NewVisitor(t testing.TB, r *Running) *Visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Visitor{T: t, Base: r.Hub.URL(), HTTP: &http.Client{
		Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Ask sends a request and returns status, page and where it leads.
func (v *Visitor) Ask(method, path string, form url.Values, headers ...string) (status int, page, location string) {
	v.T.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	address := path
	if strings.HasPrefix(path, "/") {
		address = v.Base + path
	}
	req, err := http.NewRequestWithContext(v.T.Context(), method, address, body)
	if err != nil {
		v.T.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := v.HTTP.Do(req)
	if err != nil {
		v.T.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		v.T.Fatal(err)
	}
	return resp.StatusCode, string(data), resp.Header.Get("Location")
}

// Follow sends a form and returns the page that it leads to.
func (v *Visitor) Follow(path string, form url.Values) (page string) {
	v.T.Helper()
	_, page, to := v.Ask(http.MethodPost, path, form)
	if to != "" {
		_, page, _ = v.Ask(http.MethodGet, to, nil)
	}
	return page
}

// Owner sets the hub up.
func (r *Running) Owner(t testing.TB) *Visitor {
	t.Helper()
	link, err := r.Hub.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := NewVisitor(t, r)
	_, token, _ := strings.Cut(link, "link=")
	status, page, _ := v.Ask("POST", "/setup", url.Values{"link": {token}, "login": {"owner"}, "password": {Password}, "repeat": {Password}})
	if status != http.StatusSeeOther {
		t.Fatalf("the set-up answered %d: %s", status, page)
	}
	return v
}

// InviteRE finds a link of an invitation.
var InviteRE = regexp.MustCompile(`/invite\?link=([A-Za-z0-9_-]+)`)

// Invite makes somebody of a role, who then is logged in.
func (v *Visitor) Invite(r *Running, login, role string) *Visitor {
	v.T.Helper()
	page := v.Follow("/people/invite", url.Values{"login": {login}, "role": {role}})
	found := InviteRE.FindStringSubmatch(page)
	if found == nil {
		v.T.Fatalf("there is no invitation: %s", page)
	}
	guest := NewVisitor(v.T, r)
	status, page, _ := guest.Ask("POST", "/invite", url.Values{"link": {found[1]}, "name": {login}, "password": {Password}, "repeat": {Password}})
	if status != http.StatusSeeOther {
		v.T.Fatalf("accepting answered %d: %s", status, page)
	}
	return guest
}

// PlaceholderRE finds the parameters of a route.
var PlaceholderRE = regexp.MustCompile(`[:*][a-z]+`)

// KeyRE finds an API key.
var KeyRE = regexp.MustCompile(`evg_[A-Za-z0-9_-]{43}`)

// PersonIDOf finds the id of a person in the page of people, by the login beside it.
func PersonIDOf(page, login string) string {
	at := strings.Index(page, login)
	found := regexp.MustCompile(`/people/([0-9a-f-]{36})/`).FindStringSubmatch(page[max(at, 0):])
	if found == nil {
		return ""
	}
	return found[1]
}

// Acts are the acts of one kind in the audit record, newest first, each with its details.
func (v *Visitor) Acts(act string) (found []string) {
	v.T.Helper()
	_, csv, _ := v.Ask("GET", "/audit.csv", nil)
	for line := range strings.Lines(csv) {
		if strings.Contains(line, act) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// GrantLinkRE finds a link for somebody else, and its token.
var GrantLinkRE = regexp.MustCompile(`/grant/([A-Za-z0-9_-]{43})`)
