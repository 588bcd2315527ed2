package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
)

func request(method, target string, form url.Values) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// A change of language or theme returns to a page that can be shown again, and repeats no
// code of a callback and no target outside the hub.
func TestAChangeOfLanguageReturnsToThePage(t *testing.T) {
	for _, test := range []struct {
		method, target string
		form           url.Values
		want           string
	}{
		{http.MethodGet, "/connections?q=a", nil, "/connections?q=a"},
		{http.MethodGet, "/callback/crm?state=s&code=c", nil, ""},
		{http.MethodGet, "/login/oidc/callback?code=c", nil, ""},
		{http.MethodPost, "/setup", url.Values{"link": {"x y"}, "password": {"secret"}}, "/setup?link=x+y"},
		{http.MethodPost, "/invite", url.Values{"link": {"l"}}, "/invite?link=l"},
		{http.MethodPost, "/login", url.Values{"return_to": {"/keys"}, "password": {"secret"}}, "/login?return_to=%2Fkeys"},
		{http.MethodPost, "/login", url.Values{"return_to": {"https://evil.example"}}, "/login?return_to=%2F"},
		{http.MethodPost, "/login/code", url.Values{"code": {"123456"}}, "/login/code"},
		{http.MethodPost, "/grant/token", nil, "/grant/token"},
		{http.MethodPost, "/connections/new", url.Values{"name": {"a"}}, ""},
	} {
		if got := returnPath(request(test.method, test.target, test.form)); got != test.want {
			t.Errorf("%s %s returns to %q, want %q", test.method, test.target, got, test.want)
		}
	}
}

func TestAFormBelongsToThePageAboveIt(t *testing.T) {
	k := &kit{}
	for _, page := range []string{"/", "/connections", "/connections/:name", "/services/new/:provider"} {
		k.addresses = append(k.addresses, strings.Split(page, "/"))
	}
	for _, test := range []struct{ method, target, want string }{
		{http.MethodGet, "/connections/crm?x=1", "/connections/crm?x=1"},
		{http.MethodPost, "/connections/crm/renew", "/connections/crm"},
		{http.MethodPost, "/connections/crm/offer/take", "/connections/crm"},
		{http.MethodPost, "/services/new/oauth2/check", "/services/new/oauth2"},
		{http.MethodPost, "/services/crm/delete", "/"},
		{http.MethodPost, "/", "/"},
	} {
		if got := k.pageOf(request(test.method, test.target, nil)); got != test.want {
			t.Errorf("the page of %s %s is %q, want %q", test.method, test.target, got, test.want)
		}
	}
}

func TestAProofExpires(t *testing.T) {
	for _, test := range []struct {
		age  time.Duration
		want bool
	}{
		{time.Second, true},
		{proofLife - time.Minute, true},
		{proofLife, false},
		{24 * time.Hour, false},
		{-proofLife + time.Minute, true}, // the clocks of two replicas differ
		{-time.Hour, false},
	} {
		c, _ := gin.CreateTestContext(httptest.NewRecorder())
		c.Set(provedKey, time.Now().Add(-test.age))
		if got := (&kit{}).hasProof(c); got != test.want {
			t.Errorf("a proof that is %s old counts: %v, want %v", test.age, got, test.want)
		}
	}
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	if (&kit{}).hasProof(c) {
		t.Error("a request without a proof has one")
	}
}

func TestOnlySecretsOfTheHubAreReadFromCookies(t *testing.T) {
	secret := strings.Repeat("s", browserSecretSize)
	r := request(http.MethodGet, "/callback/crm", nil)
	for _, cookie := range []http.Cookie{
		{Name: browserCookie, Value: secret}, {Name: browserCookie + "_link", Value: secret},
		{Name: browserCookie + "x", Value: secret}, {Name: browserCookie, Value: "short"}, {Name: "other", Value: secret},
	} {
		r.AddCookie(&cookie)
	}
	if got := browsers(r); len(got) != 2 {
		t.Errorf("%d secrets were read, want 2", len(got))
	}
	for range mostBrowsers {
		r.AddCookie(&http.Cookie{Name: browserCookie + "_more", Value: secret})
	}
	if got := browsers(r); len(got) != mostBrowsers {
		t.Errorf("%d secrets were read, want at most %d", len(got), mostBrowsers)
	}
}

func TestAPrefetchIsRecognized(t *testing.T) {
	for _, test := range []struct {
		name, value string
		want        bool
	}{
		{"Sec-Purpose", "prefetch", true},
		{"Sec-Purpose", "prefetch;prerender", true},
		{"Purpose", "Prefetch", true},
		{"X-Purpose", "preview", true},
		{"X-Moz", "prefetch", true},
		{"Sec-Fetch-Mode", "navigate", false},
	} {
		r := request(http.MethodGet, "/callback/crm", nil)
		r.Header.Set(test.name, test.value)
		if got := isPrefetch(r); got != test.want {
			t.Errorf("%s: %s is a prefetch: %v, want %v", test.name, test.value, got, test.want)
		}
	}
}
