package mount

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTheHubSeesNoPathWhetherItWasKeptOrTakenOff(t *testing.T) {
	var seen *http.Request
	hub := Under("/a/evergrant", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r }))
	for asked, want := range map[string]string{
		"/a/evergrant":                    "/",
		"/a/evergrant/":                   "/",
		"/a/evergrant?x=1":                "/?x=1",
		"/a/evergrant/connections/b%2Fc":  "/connections/b%2Fc",
		"/connections?q=1":                "/connections?q=1",
		"/healthz":                        "/healthz",
		"/a/evergranted":                  "/a/evergranted",
		"/a/%65vergrant/connections/b":    "/a/%65vergrant/connections/b",
		"/a/evergrant/a/evergrant/x":      "/a/evergrant/x",
		"/a/evergrant//elsewhere.example": "//elsewhere.example",
	} {
		r := httptest.NewRequest(http.MethodGet, "http://hub.example"+asked, http.NoBody)
		r.Header.Set("X-Forwarded-Prefix", "/elsewhere")
		hub.ServeHTTP(httptest.NewRecorder(), r)
		if got := seen.URL.RequestURI(); got != want && got != "http:"+want {
			t.Errorf("%s comes as %s, not %s", asked, got, want)
		}
		if seen.Header.Get("X-Forwarded-Prefix") != "" {
			t.Errorf("%s: what the proxy says of its prefix would be put before a redirect", asked)
		}
	}
}

// answered is what a browser gets for what the hub answers.
func answered(method string, hub http.HandlerFunc) (*httptest.ResponseRecorder, string) {
	w := httptest.NewRecorder()
	Under("/evergrant", hub).ServeHTTP(w, httptest.NewRequest(method, "/evergrant/x", http.NoBody))
	return w, w.Body.String()
}

func TestRedirectsOfTheHubStayBelowThePath(t *testing.T) {
	for target, want := range map[string]string{
		"/":                         "/evergrant/",
		"/connections/a?x=/y":       "/evergrant/connections/a?x=/y",
		"https://service.example/o": "https://service.example/o",
		"//service.example/o":       "//service.example/o",
		"":                          "",
	} {
		for _, header := range []string{"Location", "HX-Redirect", "HX-Push-Url"} {
			answer, _ := answered(http.MethodPost, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set(header, target)
				w.WriteHeader(http.StatusSeeOther)
			})
			if got := answer.Header().Get(header); got != want || answer.Code != http.StatusSeeOther {
				t.Errorf("%s: %s is %q, not %q (%d)", target, header, got, want, answer.Code)
			}
		}
	}
}

func TestCookiesBelongToThePath(t *testing.T) {
	answer, _ := answered(http.MethodGet, func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "whole", Value: "Path=/", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: 60})
		http.SetCookie(w, &http.Cookie{Name: "part", Value: "b", Path: "/callback/a", Secure: true})
	})
	for i, want := range []string{`whole="Path=/"; Path=/evergrant; Max-Age=60; HttpOnly; SameSite=Lax`, "part=b; Path=/evergrant/callback/a; Secure"} {
		if got := strings.ReplaceAll(answer.Header()["Set-Cookie"][i], `"`, ""); got != strings.ReplaceAll(want, `"`, "") {
			t.Errorf("%s, not %s", got, want)
		}
	}
}

func TestAddressesOfAPageHaveThePathAndNothingElseChanges(t *testing.T) {
	const page = `<!DOCTYPE html><html data-path="/x"><a class="a" href="/">Home</a>
<form method="post" action="/keys/new" hx-post="/keys/new"><input type="hidden" name="return_to" value="/keys"><button formaction="/keys/pick">…</button></form>
<img src="/assets/logo.svg" alt="href=&#34;/x"/><a href="https://service.example/">s</a><a href="//cdn.example/x">c</a><a href="#main">m</a>
<tr data-href="/connections/a"><pre>curl "http://x" href="/not"</pre><script>const a = ' href="/not"';</script><!-- href="/not" --><p>a href="/not" b</p>`
	want := strings.NewReplacer(`href="/">`, `href="/evergrant/">`, `="/keys/new"`, `="/evergrant/keys/new"`, `="/keys/pick"`, `="/evergrant/keys/pick"`,
		`="/assets/`, `="/evergrant/assets/`, `="/connections`, `="/evergrant/connections`).Replace(page)
	answer, got := answered(http.MethodGet, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Length", "7")
		w.WriteHeader(http.StatusConflict)
		w.(http.Flusher).Flush()
		for _, b := range []byte(page) { // wherever a writer cuts it
			_, _ = w.Write([]byte{b})
		}
	})
	if got != want || answer.Code != http.StatusConflict {
		t.Errorf("%d\n%s\nnot\n%s", answer.Code, got, want)
	}
	if answer.Header().Get("Content-Length") == "7" {
		t.Error("the length is that of the page before")
	}
}

func TestWhatIsNoPageGoesThroughAsItIsWritten(t *testing.T) {
	const stream = "data: <a href=\"/x\">\n\n"
	w := httptest.NewRecorder()
	Under("/evergrant", http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "text/event-stream")
		_, _ = out.Write([]byte(stream))
		out.(http.Flusher).Flush()
		if !w.Flushed || w.Body.String() != stream {
			t.Errorf("before the end there is %q", w.Body)
		}
	})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/evergrant/live", http.NoBody))
}

func TestAHubAtTheRootIsServedAsItIs(t *testing.T) {
	hub := http.NewServeMux()
	if Under(Path("https://hub.example/"), hub) != http.Handler(hub) {
		t.Error("something stands before it")
	}
	if got := Path("https://hub.example/a/b/"); got != "/a/b" {
		t.Error(got)
	}
}

// Requests that come without the path must not be taken for ones that came with it.
func TestAPathIsNotOneOfTheHubsOwn(t *testing.T) {
	routes := []string{"/", "/connections/:name", "/api/v1/about"}
	for path, want := range map[string]bool{"": false, "/evergrant": false, "/connections": true, "/api": true, "/x/api": false, "/connections2": false} {
		if _, got := Take(path, routes); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}
