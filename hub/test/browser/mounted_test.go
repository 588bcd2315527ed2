package browser_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/evergrant/evergrant/hub/internal/mount"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// below is the path that the hub is served under, beside other programs.
const below = "/tools/evergrant"

// neighbourhood is a proxy with a hub below a path; what is asked of it elsewhere is a
// mistake of the hub's pages.
type neighbourhood struct {
	server *httptest.Server
	// home is the hub's public address.
	home string

	mu            sync.Mutex
	hub           string
	seen, strayed []string
}

// startBelow starts a hub behind a proxy that keeps the path, or takes it off.
func startBelow(t *testing.T, stripped bool) (*hubtest.Running, *neighbourhood) {
	t.Helper()
	n := &neighbourhood{}
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", n.hub, r.In.Host
		if stripped {
			r.Out.URL.Path, r.Out.URL.RawPath = strings.TrimPrefix(r.In.URL.Path, below), strings.TrimPrefix(r.In.URL.RawPath, below)
			r.Out.Header.Set("X-Forwarded-Prefix", below)
		}
	}}
	n.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.mu.Lock()
		inside := strings.HasPrefix(r.URL.Path, below+"/") || r.URL.Path == below
		if n.seen = append(n.seen, r.URL.Path); !inside {
			n.strayed = append(n.strayed, r.Method+" "+r.URL.Path)
		}
		n.mu.Unlock()
		if !inside {
			http.Error(w, "another program", http.StatusTeapot)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(n.server.Close)
	n.home = strings.Replace(n.server.URL, "127.0.0.1", "localhost", 1) + below // passkeys need a name
	r := hubtest.StartHub(t, map[string]any{"public_url": n.home})
	n.hub = r.Hub.Addr().String()
	if r.Hub.URL() != n.home {
		t.Fatalf("the hub says that it is at %s", r.Hub.URL())
	}
	t.Cleanup(func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if len(n.strayed) > 0 {
			t.Errorf("what was asked of other programs: %v", n.strayed)
		}
	})
	return r, n
}

func (n *neighbourhood) saw(path string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Contains(n.seen, below+path)
}

// The main job at an address with a path, as a person does it in a browser.
func TestAPersonDoesTheMainJobBelowAPathInABrowser(t *testing.T) {
	t.Parallel()
	b := hubtest.StartBrowser(t, 1280, 900)
	world := hubtest.StartWorld(t, time.Hour)
	r, n := startBelow(t, false)
	s := world.Service("bitrix24")
	b.SetUp(r)
	hubtest.Eventually(t, "the overview listens for changes", func() bool { return n.saw("/live") })
	addService(b, r, s)
	b.Connect(r, s, "sales")
	b.Click(`button[name="decision"][value="allow"]`)
	b.Wait("#status")
	if b.Address() != n.home+"/connections/sales" {
		t.Fatalf("the callback leads to %s", b.Address())
	}
	process := &hubtest.Client{Base: n.home, Key: createKey(b, r, "sales")}
	hubtest.Confirmed(t, s, process, "sales", process.Pull(t, "sales"))
	if codes := accessCodes(b, r, "sales"); codes["accessToken"] == nil { // htmx
		t.Errorf("the access codes hold no token: %v", codes)
	}

	keepPasskeys(b)
	b.Open(n.home + "/settings")
	addPasskey(b, "Laptop")
	b.See("The passkey Laptop was added")
	logOut(b)
	b.Open(n.home + "/connections")
	if want := n.home + "/login?"; !strings.HasPrefix(b.Address(), want) {
		t.Errorf("somebody who is not logged in is led to %s", b.Address())
	}
	press(b, "#passkey-login")
	b.Wait("nav")
	if b.Address() != n.home+"/connections" {
		t.Errorf("the passkey leads to %s", b.Address())
	}
	b.Click("tr[data-href] td:last-child") // the script's own links
	b.Wait("#status")
	if cookies := hubtest.Script[string](b, `document.cookie`); !strings.Contains(cookies, "evergrant_zone=") {
		t.Errorf("the cookie of the zone is not there: %s", cookies)
	}
}

// A form that outlived its session is found again by its path.
func TestAFormOutlivesItsSessionBelowAPath(t *testing.T) {
	t.Parallel()
	b := hubtest.StartBrowser(t, 1280, 900)
	r, n := startBelow(t, false)
	b.SetUp(r)
	page := n.home + "/services/new/bitrix24"
	b.Open(page)
	b.Fill("title", "Портал")
	endSessions(t, r)
	b.Click("form.eg-page-narrow button[type=submit].btn-primary")
	b.See("Your session has ended")
	logInAgain(b)
	b.Wait(`[name="client_id"]`)
	b.See("What you entered is here again")
	if got := value(b, "title"); got != "Портал" || b.Address() != page {
		t.Errorf("%q is left at %s", got, b.Address())
	}
}

// Every page that links lead to, however the proxy hands requests on.
func TestNoPageLeavesThePathThatTheHubIsServedUnder(t *testing.T) {
	t.Parallel()
	for name, stripped := range map[string]bool{"kept by the proxy": false, "taken off by the proxy": true} {
		t.Run(name, func(t *testing.T) {
			world := hubtest.StartWorld(t, time.Hour)
			r, n := startBelow(t, stripped)
			v := r.Owner(t)
			r.Authorize(t, r.AddService(t, world.Service("bitrix24")))
			pages := n.crawl(t, v)
			if pages < 30 {
				t.Errorf("only %d pages were found", pages)
			}
			if cookies := v.HTTP.Jar.Cookies(mustParse(t, strings.TrimSuffix(n.home, below)+"/")); len(cookies) > 0 {
				t.Errorf("other programs at the host get the cookie %s", cookies[0].Name)
			}
			var document struct {
				Servers []struct{ URL string }
			}
			r.Admin.Must(t, "GET", "/api/v1/openapi.json", nil, &document)
			if len(document.Servers) != 1 || document.Servers[0].URL != n.home {
				t.Errorf("the API is said to be at %v", document.Servers)
			}
			for _, outside := range []string{"/healthz", "/readyz"} { // whoever watches asks past the proxy
				if status, _ := (&hubtest.Client{Base: "http://" + n.hub}).Do(t, "GET", outside, nil); status != http.StatusOK {
					t.Errorf("%s answers %d without the path", outside, status)
				}
			}
		})
	}
}

// crawl asks for all that links of pages lead to, from the overview on, and reports how
// many pages there were.
func (n *neighbourhood) crawl(t *testing.T, v *hubtest.Visitor) (pages int) {
	t.Helper()
	origin := strings.TrimSuffix(n.home, below)
	next, known := []string{below + "/"}, map[string]bool{below + "/": true}
	for len(next) > 0 && pages < 150 {
		address := next[0]
		next = next[1:]
		status, page, to := v.Ask("GET", origin+address, nil)
		if status >= 400 {
			t.Errorf("%s answers %d", address, status)
		}
		found := rootedIn(t, address, page)
		if to != "" {
			found = append(found, link{"Location", strings.TrimPrefix(to, origin), true})
		}
		pages++
		for _, l := range found {
			if !strings.HasPrefix(l.to, below+"/") && l.to != below {
				t.Errorf("%s: %s=%q leaves the path", address, l.attribute, l.to)
			} else if l.page && !known[l.to] {
				known[l.to] = true
				next = append(next, l.to)
			}
		}
	}
	return pages
}

// link is an address in a page; a page is one that can be opened.
type link struct {
	attribute, to string
	page          bool
}

// kept are attributes that hold addresses for the hub, which knows no path.
var kept = []string{"value", "data-path", "data-return"}

// rootedIn finds the addresses of a page that begin at the root of the host, in whatever
// attribute they are.
func rootedIn(t *testing.T, at, page string) (found []link) {
	t.Helper()
	document, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	for node := range document.Descendants() {
		for _, a := range node.Attr {
			if !strings.HasPrefix(a.Val, "/") || slices.Contains(kept, a.Key) {
				continue
			}
			if !slices.Contains(mount.Attributes, a.Key) && a.Val != "/" {
				t.Logf("%s: %s=%q is taken for no address", at, a.Key, a.Val)
			}
			found = append(found, link{a.Key, a.Val, a.Key == "href" && node.Data == "a" || a.Key == "src"})
		}
	}
	return found
}

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
