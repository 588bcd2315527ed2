package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// endless is a body without an end that counts what is read of it.
type endless struct {
	text string
	read int64
}

func (e *endless) Read(p []byte) (int, error) {
	for n := 0; n < len(p); n += copy(p[n:], e.text) {
	}
	e.read += int64(len(p))
	return len(p), nil
}

// post answers a request of a stranger without a network; length -1 is not told.
func post(r *hubtest.Running, method, path, kind string, body io.Reader, length int64) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, r.Hub.URL()+path, body)
	req.ContentLength = length
	req.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	r.Hub.ServeHTTP(w, req)
	return w
}

var pathParameter = regexp.MustCompile(`[:*][a-z0-9_]+`)

// Whatever a stranger sends to whichever route, it is refused before much of it is read,
// and the log does not grow with it. The routes are the router's: a new one is tried too.
func TestEveryRouteRefusesWhatIsTooLarge(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	r.Owner(t)
	const secret = "typed-into-the-wrong-field"
	tried := 0
	for _, route := range r.Hub.Routes() {
		if route.Method == http.MethodGet || route.Method == http.MethodHead {
			continue
		}
		path := pathParameter.ReplaceAllString(route.Path, "x")
		most := r.Hub.BodyLimit(route.Method, route.Path)
		for _, kind := range []string{"application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=b"} {
			before, start := len(r.Log.String()), time.Now()
			said := post(r, route.Method, path, kind, strings.NewReader(secret), most+1)
			if said.Code != http.StatusRequestEntityTooLarge {
				t.Errorf("%s %s with a length of %d, %s: %d", route.Method, path, most+1, kind, said.Code)
			}
			body := &endless{text: "login=" + secret + strings.Repeat("x", 4096) + "&"}
			if strings.HasPrefix(kind, "multipart") {
				body.text = "--b\r\nContent-Disposition: form-data; name=\"login\"\r\n\r\n" + secret + "\r\n"
			}
			said = post(r, route.Method, path, kind, body, -1)
			if body.read > 0 && said.Code < 300 || said.Code >= 500 {
				t.Errorf("%s %s without an end, %s: %d", route.Method, path, kind, said.Code)
			}
			if body.read > most+64<<10 {
				t.Errorf("%s %s, %s: %d bytes were read, %d are taken", route.Method, path, kind, body.read, most)
			}
			if grown := len(r.Log.String()) - before; grown > 20_000 {
				t.Errorf("%s %s, %s: the log grew by %d bytes", route.Method, path, kind, grown)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("%s %s, %s took %s", route.Method, path, kind, took)
			}
			tried++
		}
	}
	if strings.Contains(r.Log.String(), secret) {
		t.Error("what was sent is in the log")
	}
	t.Logf("%d requests to the router's routes", tried)
}

// What strangers type into the fields of open pages is bounded, and nowhere in the log.
func TestPublicFieldsAreBoundedAndNotLogged(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	v := r.Owner(t)
	const secret = "my-password-in-the-login-field"
	for name, form := range map[string]url.Values{
		"a login": {"login": {secret}, "password": {"x"}}, "a long login": {"login": {strings.Repeat(secret, 100)}, "password": {"x"}},
		"a password of kilobytes": {"login": {secret}, "password": {strings.Repeat("x", 3000)}},
	} {
		if status, _, _ := hubtest.NewVisitor(t, r).Ask("POST", "/login", form); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, status)
		}
	}
	many := url.Values{}
	for n := range 100 {
		many.Set(fmt.Sprint("field", n), secret)
	}
	for name, try := range map[string]struct {
		path string
		form url.Values
		want int
	}{
		"a field of many kilobytes": {"/login", url.Values{"login": {strings.Repeat(secret, 1000)}}, http.StatusRequestEntityTooLarge},
		"many fields":               {"/login", many, http.StatusRequestEntityTooLarge},
		"a NUL":                     {"/login", url.Values{"login": {secret + "\x00"}}, http.StatusBadRequest},
		"no UTF-8":                  {"/setup", url.Values{"login": {secret + "\xff"}}, http.StatusBadRequest},
		"a NUL in the path":         {"/grant/" + secret + "%00", url.Values{}, http.StatusBadRequest},
		"a NUL in the query":        {"/login?return_to=%00", url.Values{}, http.StatusBadRequest},
	} {
		if status, _, _ := v.Ask("POST", try.path, try.form); status != try.want {
			t.Errorf("%s: %d, want %d", name, status, try.want)
		}
	}
	for _, path := range []string{"/grant/" + secret, "/ack/" + secret, "/calendar/" + secret, "/providers/" + secret + "/icon", "/callback/" + secret + "?state=" + secret, "/api/v1/connections/" + secret + "/token", "/" + secret, "/invite?link=" + secret} {
		hubtest.NewVisitor(t, r).Ask("GET", path, nil, "Authorization", "Bearer "+secret)
	}
	if at := strings.Index(r.Log.String(), secret); at >= 0 {
		t.Errorf("it is in the log: %s", r.Log.String()[max(0, at-200):at])
	}
}

// What strangers begin is bounded by network, and the rows of it end soon.
func TestWhatStrangersBeginIsBounded(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	begun, refused := 0, 0
	for range 50 {
		switch status, _ := hubtest.NewVisitor(t, r).Send("/login/passkey/begin", struct{}{}, nil); status {
		case http.StatusOK:
			begun++
		case http.StatusTooManyRequests:
			refused++
		default:
			t.Fatalf("begin answered %d", status)
		}
	}
	if begun > 25 || refused == 0 {
		t.Errorf("%d were begun, %d refused", begun, refused)
	}
	if status, _ := boss.Send("/login/passkey/begin", struct{}{}, nil); status != http.StatusOK {
		t.Errorf("a browser that is known: %d", status)
	}
	var all, soon int
	err := r.Database(t, "ro").QueryRowContext(t.Context(), "SELECT COUNT(*), COALESCE(SUM(expires_at < ?), 0) FROM sessions", time.Now().Add(15*time.Minute).UnixMilli()).Scan(&all, &soon)
	if err != nil || all-soon != 1 || soon == 0 {
		t.Errorf("%d sessions, of which %d end soon, want all but the owner's: %v", all, soon, err)
	}
}

// An API key holds so many streams and long polls open, and is told when to come again.
func TestStreamsOfAKeyAreBounded(t *testing.T) {
	r := hubtest.StartHub(t, map[string]any{"limits.streams_per_key": 2, "limits.streams": 3})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream := func(key string) *http.Response {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Hub.URL()+"/api/v1/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	other, err := r.Hub.AdminKey(t.Context(), "other", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for n, try := range []struct {
		key  string
		want int
	}{{r.Admin.Key, 200}, {r.Admin.Key, 200}, {r.Admin.Key, 429}, {other, 200}, {other, 429}} {
		resp := stream(try.key)
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != try.want || try.want == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "" {
			t.Errorf("stream %d: %d, Retry-After %q", n, resp.StatusCode, resp.Header.Get("Retry-After"))
		}
	}
}
