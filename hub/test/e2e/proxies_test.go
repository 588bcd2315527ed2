package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// proxy is a program with the configuration that docs/deploying.md has for it.
type proxy struct {
	// heading is the sample's in the page.
	heading string
	// command runs it in the folder dir; file is its configuration.
	command func(file, dir string) *exec.Cmd
	// whole makes a configuration of the sample: it fills in what a deployment would,
	// and what a program beside others needs.
	whole func(sample string, at proxied) string
}

// proxied are the places of one run.
type proxied struct{ dir, port, hub, certificate, key string }

const proxiedHost = "tokens.example.com"

var proxies = map[string]proxy{
	"nginx": {
		heading: "### nginx",
		command: func(file, dir string) *exec.Cmd { return exec.Command("nginx", "-p", dir, "-c", file) },
		whole: func(sample string, at proxied) string {
			user := ""
			if os.Geteuid() == 0 {
				user = "user root;\n" // nobody cannot pass the folders of tests
			}
			return user + "daemon off;\npid pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n" +
				"client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n" +
				strings.NewReplacer("listen 443 ", "listen 127.0.0.1:"+at.port+" ", "127.0.0.1:8080", at.hub,
					"/etc/ssl/tokens.example.com.pem", at.certificate, "/etc/ssl/tokens.example.com.key", at.key).Replace(sample) + "}\n"
		},
	},
	"caddy": {
		heading: "### Caddy",
		command: func(file, dir string) *exec.Cmd {
			cmd := exec.Command("caddy", "run", "--adapter", "caddyfile", "--config", file)
			cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
			return cmd
		},
		whole: func(sample string, at proxied) string {
			return "{\n\tadmin off\n\tauto_https off\n}\n" + strings.NewReplacer(
				proxiedHost+" {", "https://"+proxiedHost+":"+at.port+" {\n\tbind 127.0.0.1\n\ttls "+at.certificate+" "+at.key, "127.0.0.1:8080", at.hub).Replace(sample)
		},
	},
}

// The samples of the page are run as they are: pages, forms, streams, waiting pulls and
// packages get through, and the hub knows who asked.
func TestTheSamplesForReverseProxiesWork(t *testing.T) {
	for name, p := range proxies {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(name); err != nil {
				t.Skipf("there is no %s; scripts/proxies.sh installs it", name)
			}
			world := hubtest.StartWorld(t, time.Hour)
			r := hubtest.StartHub(t, map[string]any{"trusted_proxies": "127.0.0.1"})
			connection := r.AddService(t, world.Services[0])
			r.Authorize(t, connection)
			front := p.start(t, r)
			front.showsPages(t)
			front.takesForms(t)
			front.letsPackagesThrough(t, r)
			front.waits(t, r, connection)
			front.streams(t, r, connection)
			front.tellsWhoAsks(t, r, connection)
		})
	}
}

// front is a proxy that runs, as a client sees it that is not on the proxy's address.
type front struct {
	// base is the address of the hub: the origin and the path that it is below.
	origin, base string
	client       *http.Client
}

func (p proxy) start(t *testing.T, r *hubtest.Running) front {
	t.Helper()
	return p.startAt(t, r, strconv.Itoa(freePort(t)), "")
}

// startAt starts it at a port. With a path it is the sample for a hub below that.
func (p proxy) startAt(t *testing.T, r *hubtest.Running, port, path string) front {
	t.Helper()
	dir := t.TempDir()
	at := proxied{dir: dir, port: port, hub: r.Hub.Addr().String(), certificate: filepath.Join(dir, "c.pem"), key: filepath.Join(dir, "k.pem")}
	writeCertificate(t, at.certificate, at.key, 1)
	page, err := os.ReadFile("../../../docs/deploying.md")
	if err != nil {
		t.Fatal(err)
	}
	heading := p.heading
	if path != "" {
		heading = "#" + p.heading + " below a path"
	}
	_, after, _ := strings.Cut(string(page), "\n"+heading+"\n")
	sample := regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)^```$").FindStringSubmatch(after)
	if sample == nil {
		t.Fatalf("the page has no sample below %q", heading)
	}
	file := filepath.Join(dir, "configuration")
	if err := os.WriteFile(file, []byte(p.whole(sample[1], at)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd, said := p.command(file, dir), &hubtest.LogBuffer{}
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the proxy said:\n%s", hubtest.Tail(said.String(), 20))
		}
	})
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	origin := "https://" + net.JoinHostPort(proxiedHost, at.port)
	f := front{origin: origin, base: origin + path, client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, "127.0.0.1:"+at.port)
			},
		},
	}}
	t.Cleanup(f.client.CloseIdleConnections)
	hubtest.Eventually(t, "the proxy serves", func() bool {
		resp, err := f.client.Get(f.base + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})
	return f
}

// proxyReply is what the proxy answered.
type proxyReply struct {
	status, version int // of HTTP
	kind, body      string
}

// ask sends a request with the header pairs.
func (f front) ask(t *testing.T, method, path string, body io.Reader, header ...string) proxyReply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, f.base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(header); n += 2 {
		req.Header.Set(header[n], header[n+1])
	}
	resp, err := f.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return proxyReply{resp.StatusCode, resp.ProtoMajor, resp.Header.Get("Content-Type"), string(data)}
}

func (f front) showsPages(t *testing.T) {
	t.Helper()
	got := f.ask(t, "GET", "/login", nil)
	if got.status != http.StatusOK || got.version != 2 {
		t.Errorf("the page answers %+v", got)
	}
}

// takesForms sends a form as an older browser does, which names only its origin.
func (f front) takesForms(t *testing.T) {
	t.Helper()
	form := url.Values{"login": {"nobody"}, "password": {"wrong"}}.Encode()
	for origin, refused := range map[string]bool{f.origin: false, "https://elsewhere.example": true} {
		got := f.ask(t, "POST", "/login", strings.NewReader(form), "Origin", origin, "Content-Type", "application/x-www-form-urlencoded")
		if (got.status == http.StatusForbidden) != refused {
			t.Errorf("a form from %s: %+v", origin, got)
		}
	}
}

// letsPackagesThrough sends more than proxies take by default; that it is no package the
// hub itself has to say.
func (f front) letsPackagesThrough(t *testing.T, r *hubtest.Running) {
	t.Helper()
	got := f.ask(t, "POST", "/api/v1/plugin-packages", bytes.NewReader(make([]byte, 5<<20)),
		"Authorization", "Bearer "+r.Admin.Key, "Content-Type", "application/octet-stream")
	if got.status == http.StatusRequestEntityTooLarge || !strings.Contains(got.kind, "problem+json") {
		t.Errorf("a package of 5 MiB: %+v", got)
	}
}

func (f front) waits(t *testing.T, r *hubtest.Running, connection string) {
	t.Helper()
	generation := r.Admin.Pull(t, connection).Generation
	began := time.Now()
	got := f.ask(t, "GET", "/api/v1/connections/"+connection+"/token?wait=2s", nil,
		"Authorization", "Bearer "+r.Admin.Key, "If-None-Match", fmt.Sprintf(`"%d"`, generation))
	if took := time.Since(began); got.status != http.StatusNotModified || took < 2*time.Second {
		t.Errorf("a pull that waits: %+v after %s", got, took)
	}
}

// streams wants an event before the stream ends, which it does not by itself.
func (f front) streams(t *testing.T, r *hubtest.Running, connection string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.base+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.Admin.Key)
	resp, err := f.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	renewed := false
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if !renewed {
			renewed = true
			r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
		}
		if strings.HasPrefix(lines.Text(), "data: ") && strings.Contains(lines.Text(), connection) {
			return
		}
	}
	t.Errorf("the event did not come in time (%s)", resp.Status)
}

// tellsWhoAsks claims another address, as anybody can.
func (f front) tellsWhoAsks(t *testing.T, r *hubtest.Running, connection string) {
	t.Helper()
	got := f.ask(t, "POST", "/api/v1/api-keys", strings.NewReader(`{"title":"by the proxy","connections":["`+connection+`"]}`),
		"Authorization", "Bearer "+r.Admin.Key, "Content-Type", "application/json", "X-Forwarded-For", "203.0.113.7")
	if got.status >= 300 {
		t.Fatalf("%+v", got)
	}
	var audit struct {
		Items []struct{ Act, Address string }
	}
	r.Admin.Must(t, "GET", "/api/v1/audit?act=key.", nil, &audit)
	if len(audit.Items) == 0 || audit.Items[0].Address != "127.0.0.2" {
		t.Errorf("the audit record has %+v", audit.Items)
	}
}
