package foreign

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// built builds the program of a folder here, a module of its own, and returns where it is: in
// bin, so that it is linked again only if it has changed. Where the modules that it needs cannot
// be had the test is skipped, but never in CI.
func built(t *testing.T, folder string) (path string) {
	t.Helper()
	path, err := filepath.Abs("../../../bin/foreign-" + folder)
	if err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", path, ".")
	build.Dir, build.Env = folder, append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	if out, err := build.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "" {
			t.Skipf("the server in %s cannot be built, its modules are not here: %v\n%s", folder, err, out)
		}
		t.Fatalf("build the server in %s: %v\n%s", folder, err, out)
	}
	return path
}

// program starts the program of a folder here and returns the address that it prints.
func program(t *testing.T, folder string, args ...string) (address string) {
	t.Helper()
	var log bytes.Buffer
	command := exec.Command(built(t, folder), args...)
	command.Stderr = &log // read after Wait
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
	end := sync.OnceFunc(func() { _, _ = stdin.Close(), command.Wait() })
	t.Cleanup(func() {
		if end(); t.Failed() {
			t.Logf("the server in %s said:\n%s", folder, log.String())
		}
	})
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		end()
		t.Fatalf("the server in %s does not say where it listens:\n%s", folder, log.String())
	}
	return lines.Text()
}

// browser follows redirects with cookies until it is sent to the callback, where it does not
// go: landed is that address then.
type browser struct {
	http   *http.Client
	landed *url.URL
}

func newBrowser(callback string) *browser {
	jar, _ := cookiejar.New(nil) // never fails
	b := &browser{}
	b.http = &http.Client{Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(req.URL.String(), callback+"?") {
			b.landed = req.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return b
}

// open makes a request, a POST if there is a form, and returns the page and where it is.
func (b *browser) open(ctx context.Context, address string, form url.Values) (page string, at *url.URL, err error) {
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
	resp, err := b.http.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), resp.Request.URL, err
}

// straight plays a person whom the server does not ask anything.
func straight(ctx context.Context, address, callback string) (*url.URL, error) {
	b := newBrowser(callback)
	page, at, err := b.open(ctx, address, nil)
	if err == nil && b.landed == nil {
		err = fmt.Errorf("the server leads to %s:\n%s", at, page)
	}
	return b.landed, err
}
