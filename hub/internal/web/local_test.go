package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
)

// elsewhere are targets that some browser, proxy or router reads as another origin, or as
// another page than the one that is written there.
var elsewhere = []string{
	"", " ", "a", "connections", "?a=b", "#a", ".", "..", "./a", "../a", "*",
	// Absolute ones.
	"https://evil.example", "http://evil.example/", "HTTPS://EVIL.EXAMPLE", "https:evil.example", "https:/evil.example", "https:///evil.example", "ftp://evil.example",
	"javascript:alert(1)", "JavaScript:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "blob:https://evil.example/1", "file:///etc/passwd",
	"mailto:a@evil.example", "https:\\\\evil.example", "hub.example@evil.example", "evil.example:443/", "view-source:https://evil.example",
	// Without a scheme.
	"//evil.example", "//evil.example/", "///evil.example", "////evil.example", "//evil.example/%2e%2e", "//user@evil.example", "//evil.example:443", "//[::1]/", "//2130706433/", "/ /evil.example",
	"/./evil.example/../..//evil.example", "/.//evil.example", "/..//evil.example", "/a/..//evil.example", "/a//evil.example", "/connections//evil.example", "/a/../..", "/..", "/.", "/a/.",
	// Backslashes.
	`\evil.example`, `\\evil.example`, `/\evil.example`, `/\/evil.example`, `\/evil.example`, `\/\/evil.example`, `/\\evil.example`, `//\evil.example`, `/a\b`, `/a?b=\c`, `/a#\`,
	// Characters that browsers drop or trim.
	"/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "/\r\n/evil.example", "\t//evil.example", "\n//evil.example", " //evil.example", "/\t\\evil.example", "/\x00/evil.example", "\x00//evil.example",
	"/\x0b/evil.example", "/\x0c/evil.example", "/\x1f/evil.example", "/\x7f/evil.example", "/\u0085/evil.example", "/\u00a0/evil.example", "/\u00ad/evil.example", "/\u200b/evil.example", "/\u200e/evil.example",
	"/\u2028/evil.example", "/\u2029/evil.example", "/\u2060/evil.example", "/\ufeff/evil.example", "\ufeff//evil.example", "/a\tb", "/a?b=\tc", "/a?b=\nc", "/a#\t", "/a ", "/a b", "/\xff/evil.example", "/\xc0\xaf/evil.example",
	// Characters that look like slashes, or become them by a normalisation.
	"/\u2044/evil.example", "/\u2215evil.example", "/\uff0fevil.example", "\uff0f\uff0fevil.example", "/\uff3cevil.example", "/\u29f8evil.example", "/\u2216evil.example", "\u3002/evil.example", "/\uff0e\uff0e/",
	// Encoded once, twice and more.
	"/%2fevil.example", "/%2Fevil.example", "%2f%2fevil.example", "/%2f%2fevil.example", "/%5cevil.example", "/%5Cevil.example", "/%5c%5cevil.example", "/%09/evil.example", "/%0a/evil.example", "/%0A/evil.example",
	"/%0d/evil.example", "/%0d%0a/evil.example", "/%0d%0aLocation:%20https://evil.example", "/%0d%0aSet-Cookie:a=b", "/%00/evil.example", "/%00", "/%7f/", "/%20/\t/evil.example",
	"/%252fevil.example", "/%252f%252fevil.example", "/%25%32%66evil.example", "/%255cevil.example", "/%2509/evil.example", "/%250a/evil.example", "/%25252fevil.example", "/%2525252525252fevil.example",
	"/%2e%2e/evil.example", "/%2e/", "/%2e%2e%2fevil.example", "/.%2e/", "/%252e%252e/", "/a/%2e%2e/%2fevil.example", "/a%2f..%2f..", "/a%2f%2fb",
	"/%e2%81%84evil.example", "/%ef%bc%8fevil.example", "/%ef%bc%bcevil.example", "/%e2%88%95evil.example", "/%c0%afevil.example", "/%c0%ae%c0%ae/", "/%ff", "/%e2%80%8b/evil.example", "/%c2%a0/evil.example", "/%c2%85/evil.example",
	// What cannot be read.
	"/%", "/%zz", "/%u002fevil.example", "/%2", "/a%", "/" + strings.Repeat("a", mostTarget),
}

// ours are addresses of pages, as the hub and browsers write them.
var ours = []string{
	"/", "/connections", "/connections?", "/connections/crm", "/connections/crm#codes", "/connections/crm/drill?event=over", "/services?q=%D0%BA%D0%B0%D1%81%D1%81%D0%B0&status=", "/connections/a%20b",
	"/connections?q=a%2Fb&to=https%3A%2F%2Fhub.example%2F%2Fa", "/connections?q=//evil.example", "/connections?q=%0d%0a", "/connections?q=%5C", "/once?service=crm", "/login?return_to=%2Fkeys", "/plugins/%D0%9A%D0%B0%D1%81%D1%81%D0%B0",
	"/escalation/texts?lang=ru&topic=a", "/a.b/c-d_e~f", "/a:b", "/@a", "/a@evil.example", "/evil.example", "/...", "/connections/a%3Fb", "/connections/100%25", "/bulk/1?skip=200&state=",
}

func TestARedirectStaysInTheHub(t *testing.T) {
	if len(elsewhere) < 120 {
		t.Fatalf("only %d encodings are tried", len(elsewhere))
	}
	for _, target := range elsewhere {
		if got := localPath(target); got != homePage {
			t.Errorf("%q leads to %q", target, got)
		}
	}
	for _, target := range ours {
		if got := localPath(target); got != target {
			t.Errorf("%q leads to %q", target, got)
		}
	}
}

// What a browser makes of the answer: the address against the page's own, without the
// characters that browsers drop.
func TestABrowserStaysAtTheHubAfterARedirect(t *testing.T) {
	page, err := url.Parse("https://hub.example/login")
	if err != nil {
		t.Fatal(err)
	}
	dropped := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/")
	for _, target := range append(elsewhere, ours...) {
		answer := httptest.NewRecorder()
		c, _ := gin.CreateTestContext(answer)
		c.Request = httptest.NewRequest(http.MethodPost, "/login", http.NoBody)
		back(c, target)
		to, err := page.Parse(strings.TrimSpace(dropped.Replace(answer.Header().Get("Location"))))
		if err != nil || to.Scheme != "https" || to.Host != "hub.example" || to.User != nil || strings.HasPrefix(to.Path, "//") {
			t.Errorf("%q leads a browser to %v (%v)", target, to, err)
		}
	}
}

// redirecting are the ways of leading a browser elsewhere.
var redirecting = regexp.MustCompile(`\.Redirect\(|"(?:HX-Redirect|HX-Location|HX-Push-Url|HX-Replace-Url|Location|Refresh)"|gin\.H\{"to"|\.Referer\(\)|"Referer"`)

// judged are the lines that may: with an address that localPath has judged, or one of
// elsewhere that is meant, whose host the hub has checked.
var judged = map[string][]string{
	"render.go":       {`c.Redirect(http.StatusSeeOther, localPath(path))`},
	"proven.go":       {`c.Header("HX-Redirect", localPath(target))`},
	"gate.go":         {`c.Header("HX-Redirect", localPath(target))`},
	"enter.go":        {`c.JSON(http.StatusOK, gin.H{"to": p.base + localPath(a.ReturnTo)})`},
	"settings.go":     {`c.JSON(http.StatusOK, gin.H{"to": p.base + "/settings"})`},
	"browser.go":      {`c.Redirect(http.StatusSeeOther, path+"?"+c.Request.Form.Encode())`},
	"oidc.go":         {`c.Redirect(http.StatusSeeOther, address)`},
	"device_grant.go": {`c.Header("Refresh", deviceRefresh)`}, // the page itself, without an address
	"departure.go":    {`c.Header("Refresh", "0;url="+all[i].URL)`},
}

func TestEveryRedirectIsJudged(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(source), "\n") {
			if redirecting.MatchString(line) && !slices.ContainsFunc(judged[file], func(may string) bool { return strings.Contains(line, may) }) {
				t.Errorf("%s:%d leads a browser to an address that localPath does not judge: %s", file, n+1, strings.TrimSpace(line))
			}
		}
	}
}
