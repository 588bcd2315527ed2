package emulator

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Person plays the person who authorizes, over plain HTTP and without a browser.
type Person struct {
	// Client makes the requests; nil means a plain one. Redirects are never followed.
	Client *http.Client
}

// Choices are what a Person does at the page. The zero value is Anna who allows
// everything.
type Choices struct {
	// Login and Password are the credentials; an empty Password is taken from
	// DefaultDirectory.
	Login, Password string
	// Deny presses the other button.
	Deny bool
	// UntickScopes are the optional scopes that are not allowed.
	UntickScopes []string
}

// PageError is an error that the service shows to the person without going back
// to the client.
type PageError struct {
	// Status is the HTTP status of the page, Problem its error.
	Status  int
	Problem string
}

// Error is the text that the person sees.
func (e *PageError) Error() string {
	return fmt.Sprintf("the service shows the person an error (status %d): %s", e.Status, e.Problem)
}

var (
	scopeBox   = regexp.MustCompile(`<input type="checkbox" name="scope" value="([^"]*)"`)
	problemBox = regexp.MustCompile(`id="problem">([^<]*)<`)
	codeBox    = regexp.MustCompile(`id="code">([^<]*)<`)
	formTag    = regexp.MustCompile(`<form method="post"`)
)

// Authorize opens authorizeURL, logs in and decides. It returns where the service
// sends the browser, without going there. Where an app has no redirect address,
// it returns the address of the page with the code that is shown there as its
// code parameter. A *PageError says that the service keeps the person and shows
// an error.
func (p Person) Authorize(ctx context.Context, authorizeURL string, c Choices) (*url.URL, error) {
	landed, page, err := p.open(ctx, http.MethodGet, authorizeURL, nil)
	if err != nil || landed != nil {
		return landed, err
	}
	if !formTag.MatchString(page) {
		return nil, errors.New("the page at the authorize address has no login form; is it an emulator?")
	}
	landed, page, err = p.open(ctx, http.MethodPost, authorizeURL, c.form(page))
	if err != nil || landed != nil {
		return landed, err
	}
	code := codeBox.FindStringSubmatch(page)
	if code == nil {
		return nil, errors.New("the service neither redirects nor shows a code")
	}
	landed, err = url.Parse(authorizeURL)
	if err != nil {
		return nil, err
	}
	landed.RawQuery = url.Values{"code": {html.UnescapeString(code[1])}}.Encode()
	return landed, nil
}

func (c Choices) form(page string) url.Values {
	form := url.Values{"login": {c.Login}, "password": {c.Password}, "decision": {"allow"}}
	if c.Login == "" {
		form.Set("login", DefaultDirectory()[0].Login)
	}
	if account, ok := DefaultDirectory().Find(form.Get("login")); ok && c.Password == "" {
		form.Set("password", account.Password)
	}
	if c.Deny {
		form.Set("decision", "deny")
	}
	for _, box := range scopeBox.FindAllStringSubmatch(page, -1) {
		if scope := html.UnescapeString(box[1]); !slices.Contains(c.UntickScopes, scope) {
			form.Add("scope", scope)
		}
	}
	return form
}

// open makes one request and returns where it redirects to, or the page.
func (p Person) open(ctx context.Context, method, address string, form url.Values) (*url.URL, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", fmt.Errorf("open the authorize address: %w", err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	client := http.Client{}
	if p.Client != nil {
		client = *p.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if urlError, ok := errors.AsType[*url.Error](err); ok {
		err = urlError.Err // without the address, whose state is a secret
	}
	if err != nil {
		return nil, "", fmt.Errorf("open the authorize address: %w", err)
	}
	defer resp.Body.Close()
	if location, err := resp.Location(); err == nil {
		return location, "", nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, "", fmt.Errorf("read the page at the authorize address: %w", err)
	}
	page := string(body)
	if problem := problemBox.FindStringSubmatch(page); problem != nil {
		return nil, "", &PageError{Status: resp.StatusCode, Problem: html.UnescapeString(problem[1])}
	}
	if resp.StatusCode != http.StatusOK {
		return nil, "", &PageError{Status: resp.StatusCode, Problem: http.StatusText(resp.StatusCode)}
	}
	return nil, page, nil
}
