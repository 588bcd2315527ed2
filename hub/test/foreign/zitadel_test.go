package foreign

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// startZitadel builds the program of the folder zitadel and starts it with one client. Where
// its modules cannot be had the test is skipped, but never in CI.
func startZitadel(t *testing.T, clientID, callback string) (issuer string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "zitadel")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir, build.Env = "zitadel", append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	if out, err := build.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "" {
			t.Skipf("the OpenID provider of Zitadel cannot be built, its modules are not here: %v\n%s", err, out)
		}
		t.Fatalf("build the OpenID provider of Zitadel: %v\n%s", err, out)
	}
	command := exec.Command(program, clientID, secret, callback)
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = command.Wait()
	})
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		t.Fatal("the OpenID provider of Zitadel does not say where it listens")
	}
	return lines.Text()
}

var loginID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// zitadelPerson logs in and returns the address of the callback, without going there.
func zitadelPerson(ctx context.Context, address, callback string) (*url.URL, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	var landed *url.URL
	browser := &http.Client{Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(req.URL.String(), callback+"?") {
			landed = req.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, at, err := opened(ctx, browser, address, nil)
	if err != nil {
		return nil, err
	}
	id := loginID.FindStringSubmatch(page)
	if id == nil {
		return nil, fmt.Errorf("no login is shown at %s:\n%s", at, page)
	}
	form := url.Values{"id": {id[1]}, "username": {"test-user@localhost"}, "password": {"verysecure"}}
	page, at, err = opened(ctx, browser, at.ResolveReference(&url.URL{Path: "/login/username"}).String(), form)
	if err == nil && landed == nil {
		err = fmt.Errorf("the login leads to %s:\n%s", at, page)
	}
	return landed, err
}

// opened makes a request, a POST if there is a form, and returns the page and where it is.
func opened(ctx context.Context, browser *http.Client, address string, form url.Values) (page string, at *url.URL, err error) {
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", nil, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := browser.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), resp.Request.URL, err
}

// Zitadel's provider rotates refresh tokens and ends the old access token with them. A spent
// one says that the grant is over, which a person has to mend; its successor lives on.
func TestAGrantAtZitadelIsKeptAndItsEndIsUnderstood(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	callback := r.Hub.URL() + "/callback/zitadel"
	issuer := startZitadel(t, "zitadel", callback)
	c := client(r, "zitadel", "client_secret_basic")
	add(t, r, boss, issuer, c, map[string]any{"rotation": "rotates_and_revokes_access"})
	finish(t, r, "zitadel", "id1", func(address string) (*url.URL, error) { return zitadelPerson(t.Context(), address, callback) })
	var codes struct{ RefreshToken string }
	r.Admin.Must(t, "GET", "/api/v1/connections/zitadel/access-codes?refresh_token=true", nil, &codes)
	live(t, r, "zitadel")
	boss.Ask("POST", "/connections/import", url.Values{"service": {"zitadel"}, "title": {"Copy"}, "grant": {codes.RefreshToken}})
	wantPerson(t, r, "copy")
	live(t, r, "zitadel")
}
