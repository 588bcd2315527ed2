package oidctest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// Person plays the one who authorizes at the pages of oidc-provider, with a
// browser that handles forms, redirects and cookies.
type Person struct{ browser *http.Client }

// NewPerson returns a person without a session.
func NewPerson() *Person {
	jar, _ := cookiejar.New(nil) // fails never
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Person{browser: &http.Client{Jar: jar, CheckRedirect: stay}}
}

var (
	formAction = regexp.MustCompile(`<form[^>]*action="([^"]+)"`)
	formHidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
	abortLink  = regexp.MustCompile(`href="([^"]+/abort)"`)
)

// Authorize opens the address, logs in as anna and consents, or goes back at the
// consent page. It returns the address below callback that the browser is sent
// to, without going there.
func (p *Person) Authorize(ctx context.Context, address, callback string, consents bool) (*url.URL, error) {
	landed, err := p.walk(ctx, address, consents, func(location, _ string) bool { return strings.HasPrefix(location, callback+"?") })
	if err != nil {
		return nil, err
	}
	return url.Parse(landed)
}

// Device opens the address at which the code of a device is entered, the code being in it,
// and goes on as in Authorize, until the page says that it is done.
func (p *Person) Device(ctx context.Context, address string) error {
	_, err := p.walk(ctx, address, true, func(_, page string) bool { return strings.Contains(page, "Sign-in Success") })
	return err
}

// walk fills in forms and follows redirects until it has arrived.
func (p *Person) walk(ctx context.Context, address string, consents bool, arrived func(location, page string) bool) (location string, err error) {
	var form url.Values
	for range 20 {
		var page string
		location, page, err = p.open(ctx, address, form)
		form = nil
		switch {
		case err != nil:
			return "", err
		case arrived(location, page):
			return location, nil
		case location != "":
			address, err = resolve(address, location)
		default:
			address, form, err = answer(address, page, consents)
		}
		if err != nil {
			return "", err
		}
	}
	return "", errors.New("the person is sent round in circles")
}

// answer fills in the form of a page: what is hidden in it is sent back.
func answer(at, page string, consents bool) (address string, form url.Values, err error) {
	action, hidden := formAction.FindStringSubmatch(page), formHidden.FindAllStringSubmatch(page, -1)
	if action == nil || hidden == nil {
		return "", nil, fmt.Errorf("oidc-provider shows no form, but\n%s", page)
	}
	form = url.Values{}
	for _, field := range hidden {
		form.Set(field[1], field[2])
	}
	prompt := form.Get("prompt")
	if link := abortLink.FindStringSubmatch(page); prompt == "consent" && !consents && link != nil {
		address, err = resolve(at, link[1])
		return address, nil, err
	}
	if prompt == "login" {
		form.Set("login", "anna")
		form.Set("password", "any")
	}
	address, err = resolve(at, action[1])
	return address, form, err
}

// open makes one request, a POST if there is a form, and returns where it leads
// or the page.
func (p *Person) open(ctx context.Context, address string, form url.Values) (location, page string, err error) {
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", "", err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := p.browser.Do(req)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return resp.Header.Get("Location"), string(body), err
}

func resolve(at, reference string) (string, error) {
	base, err := url.Parse(at)
	if err != nil {
		return "", err
	}
	u, err := base.Parse(reference)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}
