package pluginhost

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// link puts the test binary into dir under another name.
func link(t testing.TB, dir, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if os.Link(self, path) == nil {
		return path
	}
	program, err := os.ReadFile(self) // another file system
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// change makes a file another one that does the same.
func change(t *testing.T, path string) {
	t.Helper()
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", append(program, "changed"...), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// pluginDir makes a folder of plugins of the named modes.
func pluginDir(t testing.TB, modes ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, mode := range modes {
		link(t, dir, "evergrant-provider-"+mode)
	}
	return dir
}

// shortDir makes a folder whose path leaves room for a socket's name.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "eg") //nolint:usetesting // t.TempDir's path holds the test's name and is too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// newHost hosts a folder and is stopped with the test. Calls wait long, for the
// machine may be busy.
func newHost(t testing.TB, opts Options) (*Host, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	opts.Logger = hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Trace})
	if opts.RuntimeDir == "" {
		opts.RuntimeDir = shortDir(t)
	}
	if opts.ReadyTimeout == 0 {
		opts.ReadyTimeout = 30 * time.Second
	}
	if opts.ConnectTimeout == 0 {
		opts.ConnectTimeout = 20 * time.Second
	}
	h, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Stop(context.Background()) })
	return h, log
}

// scanned is a host of plugins of the named modes that has looked at them.
func scanned(t *testing.T, opts Options, modes ...string) (*Host, *logBuffer) {
	t.Helper()
	opts.Dir = pluginDir(t, modes...)
	h, log := newHost(t, opts)
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h, log
}

// remembering is a cache that knows every mode without asking.
type remembering struct {
	name string

	mu    sync.Mutex
	saved map[string]Described // by sum
}

func (c *remembering) PluginBySum(_ context.Context, sum string) (Described, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.saved[sum]; ok {
		return known, true, nil
	}
	if c.name != "" {
		return Described{Descriptions: []provider.Description{*describe(c.name)}}, true, nil
	}
	return Described{}, false, nil
}

func (c *remembering) SavePlugin(_ context.Context, sum, name string, d Described) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.saved = maps.Clone(c.saved)
	if c.saved == nil {
		c.saved = map[string]Described{}
	}
	c.saved[sum] = d
	return nil
}

// answer is what the service says to every request.
func answer(context.Context) (*providerplugin.HTTPResponse, error) {
	return &providerplugin.HTTPResponse{Status: http.StatusOK, Body: []byte("next")}, nil
}

// works fails the test unless a renewal goes through.
func works(t testing.TB, h *Host, name string) {
	t.Helper()
	token, err := refreshed(t.Context(), h, name, "", answer)
	if err != nil || token.AccessToken != "next" {
		t.Fatalf("renewal with %s: %v, %v", name, token, err)
	}
}

func statusOf(t testing.TB, h *Host, name string) PluginStatus {
	t.Helper()
	for _, p := range h.Plugins() {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("there is no plugin %s", name)
	return PluginStatus{}
}

// alive tells a process from none and from a zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

func entries(t testing.TB, dir string) int {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// someCertificate is a certificate that nobody serves.
const someCertificate = "MIIBYTCCAQegAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDEwlsb2NhbGhvc3QwIBcNNzAwMTAxMDAwMDAwWhgPMjA5NjEw" +
	"MDIwNzA2NDBaMBQxEjAQBgNVBAMTCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDokZlSzG4YEoIfHI2es+XMn" +
	"z62ThXIRLAWDuD0TbJWWsNVtGPhRehEdKffy6MNej9bdshaD/fA9Ibit4/shJuSjSDBGMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0O" +
	"BBYEFJb/sM5HY6YpyyruKwArTyqIyyZyMBQGA1UdEQQNMAuCCWxvY2FsaG9zdDAKBggqhkjOPQQDAgNIADBFAiBcmZqPd7Tt+x4/" +
	"f3+oUg33XlTjXhU0mDlGUKCGbZu9ogIhAN3oMSXfe9+nnggWKmGeiF5BoSSh6aN3Ui/+tXzHj5EE"

// longPlay leaves a test out that takes seconds of many processes, where little time is
// wanted.
func longPlay(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: it starts many processes, or waits for one to take what it can")
	}
}
