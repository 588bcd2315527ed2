package browser_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// installs runs the command line's installation and returns what it printed and its
// exit code. typed is what a person types on a terminal; nil is no terminal.
func (a *author) installs(r *hubtest.Running, typed []string, args ...string) (string, int) {
	a.t.Helper()
	cmd := exec.CommandContext(a.t.Context(), a.evergrant, append([]string{"plugin", "install", "--url", r.Hub.URL()}, args...)...)
	cmd.Env = append(os.Environ(), "EVERGRANT_API_KEY="+r.Admin.Key)
	if typed != nil {
		cmd.Stdin = typing(a.t, typed)
	}
	out, err := cmd.CombinedOutput()
	a.t.Logf("$ evergrant plugin install %s\n%s", strings.Join(args[1:], " "), out)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out), exit.ExitCode()
	} else if err != nil {
		a.t.Fatal(err)
	}
	return string(out), 0
}

// typing is a terminal on which lines are typed.
func typing(t testing.TB, lines []string) *os.File {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("this machine has no terminals:", err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	fd, _, errno := unix.Syscall(unix.SYS_IOCTL, keyboard.Fd(), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY)
	if errno != 0 {
		t.Fatal("open a terminal:", errno)
	}
	terminal := os.NewFile(fd, "terminal")
	t.Cleanup(func() { _ = terminal.Close() })
	if _, err := io.WriteString(keyboard, strings.Join(lines, "\n")+"\n"); err != nil {
		t.Fatal(err)
	}
	return terminal
}

func wantSaid(t *testing.T, out string, code, want int, said ...string) {
	t.Helper()
	if code != want {
		t.Errorf("exit code %d, want %d:\n%s", code, want, out)
	}
	for _, text := range said {
		if !strings.Contains(out, text) {
			t.Errorf("it does not say %q:\n%s", text, out)
		}
	}
}

var sumRE = regexp.MustCompile(`[0-9a-f]{64}`)

// The command line shows what a package is and what it changes, asks on a terminal, and
// takes no silence for a yes: a script says so, and names each host that is added.
func TestThePackageThatTheCommandLineInstallsIsShownAndAgreedTo(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	service := authserver.New(authserver.Config{})
	address, err := service.Start("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Close() })
	a.begin("letters", address)
	one := a.pack("letters", "0.1.0")
	r := hubtest.StartHub(t, nil)

	out, code := a.installs(r, nil, one, "--enable")
	wantSaid(t, out, code, 3, "nobody can be asked here", "--yes", "the first one here", "signed by    nobody", "renewal included", address)
	if p := r.Installed(t, "letters"); p.Name != "" {
		t.Errorf("nobody agreed, and the hub has %+v", p)
	}
	out, code = a.installs(r, []string{"n"}, one, "--enable")
	wantSaid(t, out, code, 1, "Hand it in, approve and enable it at "+r.Hub.URL(), "nothing was changed")
	out, code = a.installs(r, nil, one, "--enable", "--yes")
	sum := sumRE.FindString(out)
	wantSaid(t, out, code, 1, "the hub's check says: staged", "confirm its SHA-256", sum)
	out, code = a.installs(r, nil, one, "--enable", "--yes", "--confirm", sum)
	wantSaid(t, out, code, 0, "it runs")
	if p := r.Installed(t, "letters"); p.Package != sum || len(p.Packages) != 1 || p.Packages[0].Conformance != "whole" {
		t.Errorf("the hub shows %+v", p)
	}

	a.edit("evergrant-provider-letters/provider.go", "Hosts:  []provider.Host{", `Hosts: []provider.Host{{Pattern: "api.letters.example"}, `)
	two := a.pack("letters", "0.2.0", "--untested")
	out, code = a.installs(r, nil, two, "--enable", "--yes")
	wantSaid(t, out, code, 3, "0.1.0 → 0.2.0", "api.letters.example  (added: 0.1.0 does not talk to it)", "--allow-host api.letters.example", "not shown")
	out, code = a.installs(r, []string{"n"}, two, "--enable")
	wantSaid(t, out, code, 1, "Allow letters to talk to api.letters.example, which 0.1.0 does not? [y/N]", "nothing was changed")
	if p := r.Installed(t, "letters"); p.Package != sum || len(p.Packages) != 1 {
		t.Errorf("nobody agreed, and the hub has %+v", p)
	}
	out, code = a.installs(r, []string{"y", "yes"}, two, "--enable", "--confirm", sumRE.FindString(out))
	wantSaid(t, out, code, 0, "it runs")
	out, code = a.installs(r, nil, one, "--enable", "--yes")
	wantSaid(t, out, code, 1, "0.2.0 → 0.1.0, which is older", "api.letters.example (no more)")
	if p := r.Installed(t, "letters"); p.Packages[0].Version != "0.2.0" || p.Package != p.Packages[0].Sum {
		t.Errorf("the hub shows %+v", p)
	}
}

// A version that describes itself and panics at every refresh goes back by itself. The
// refresh that was out is in the journal: the version before reads the reply.
func TestAnUpgradeThatPanicsAtEveryRefreshGoesBackAndLosesNothing(t *testing.T) {
	t.Parallel()
	a := newAuthor(t)
	service := authserver.New(authserver.Config{AccessTokenLife: time.Hour})
	address, err := service.Start("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Close() })
	a.begin("parcels", address)
	one := a.pack("parcels", "0.1.0", "--untested")
	a.edit("evergrant-provider-parcels/provider.go", "var service = oauth.New(", "var service = careless{oauth.New(", "Auth:     oauth.AuthBasic,\n})", "Auth:     oauth.AuthBasic,\n}).(whole)}\n"+careless,
		"import (", "import (\n\t\"context\"\n")
	two := a.pack("parcels", "0.2.0", "--untested")
	r := hubtest.StartHub(t, nil)
	for _, file := range []string{one, two} {
		out, _ := a.installs(r, nil, file, "--yes")
		out, code := a.installs(r, nil, file, "--yes", "--enable", "--confirm", sumRE.FindString(out))
		wantSaid(t, out, code, 0, "it runs")
		if file == one {
			connectParcels(t, r)
		}
	}
	before := r.View(t, "parcels-of-anna")
	for range 3 {
		r.Admin.Do(t, "POST", "/api/v1/connections/parcels-of-anna/renew", nil)
	}
	hubtest.Eventually(t, "the version before is back", func() bool {
		return r.Installed(t, "parcels").Version != "" && r.Installed(t, "parcels").Package == sumOf(t, r, "0.1.0")
	})
	p := r.Installed(t, "parcels")
	if !strings.Contains(p.Refused, "panicked") || p.Packages[0].State != "quarantined" || !strings.Contains(p.Packages[0].Problem, "refresh failed 3 times") {
		t.Errorf("the hub shows %+v", p)
	}
	var audit struct {
		Items []struct{ Detail map[string]string }
	}
	r.Admin.Must(t, "GET", "/api/v1/audit?act=plugin.quarantine", nil, &audit)
	if len(audit.Items) != 1 || !strings.Contains(audit.Items[0].Detail["reason"], "panicked") {
		t.Errorf("the audit record says %+v", audit.Items)
	}
	found := hubtest.Findings(t, "", map[string]any{"data_dir": r.Dir, "public_url": r.Hub.URL()})
	hubtest.Expect(t, found, "plugins", "warn", "parcels 0.2.0 is in quarantine: refresh failed 3 times")
	hubtest.Expect(t, found, "plugins", "ok", "serves parcels") // what is installed is started too
	if !hubtest.Contains(r.Log, "new plugin version keeps failing, rolled back") {
		t.Error("it is not in the log")
	}
	r.Admin.Must(t, "POST", "/api/v1/connections/parcels-of-anna/renew", nil, nil)
	after := r.View(t, "parcels-of-anna")
	if after.Generation != before.Generation+1 || service.TokenRequests("refresh_token") != 1 || service.DoubleSpent() != 0 {
		t.Errorf("generation %d after %d, %d refreshes were sent, %d refresh tokens spent twice", after.Generation, before.Generation, service.TokenRequests("refresh_token"), service.DoubleSpent())
	}
}

// careless is what an author might add.
const careless = `
type whole interface {
	provider.Provider
	provider.AuthorizationCodeGrant
	provider.Refresher
}

// careless breaks on the reply to each refresh.
type careless struct{ whole }

func (c careless) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	token, _ := c.whole.Refresh(ctx, req)
	return &provider.Token{AccessToken: token.Extra["not there"].(string)}, nil
}
`

// connectParcels authorizes parcels-of-anna at the service that the author's tests have.
func connectParcels(t *testing.T, r *hubtest.Running) {
	t.Helper()
	r.Admin.Must(t, "POST", "/api/v1/services", map[string]any{"name": "parcels", "provider": "parcels", "client_id": "client", "client_secret": "secret", "scopes": []string{"read"}}, nil)
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": "parcels", "name": "parcels-of-anna"}, nil)
	var s hubtest.Started
	r.Admin.Must(t, "POST", "/api/v1/connections/parcels-of-anna/authorizations", nil, &s)
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.PostForm(s.AuthorizeURL, url.Values{"login": {"anna@example.test"}, "password": {"anna"}, "decision": {"allow"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, resp.Header.Get("Location"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: s.BrowserCookie.Name, Value: s.BrowserCookie.Value})
	if status, page := hubtest.Send(t, req); r.View(t, "parcels-of-anna").Generation == 0 {
		t.Fatalf("the callback answered %d and there is no grant:\n%s", status, page)
	}
}

func sumOf(t testing.TB, r *hubtest.Running, version string) string {
	t.Helper()
	for _, p := range r.Installed(t, "parcels").Packages {
		if p.Version == version {
			return p.Sum
		}
	}
	return "none"
}
