package pluginhost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-plugin"
	"go.uber.org/goleak"

	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// The test binary is also every plugin of these tests, and the hub that is
// killed: links to it under other names say what it is to be, since a plugin's
// environment is made from nothing.
const hubBinary = "evergrant-hub"

func TestMain(m *testing.M) {
	name := filepath.Base(os.Args[0])
	if mode, ok := strings.CutPrefix(name, "evergrant-provider-"); ok {
		actAsPlugin(mode)
		// Straight out: under the race detector an ordinary exit takes a second.
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	if name == hubBinary {
		actAsHub()
		return
	}
	goleak.VerifyTestMain(m)
}

// Plugins end by syscall.Exit: in a run with coverage os.Exit would write to their stderr
// that nobody collects it.

// The real ones: go-plugin puts others in their place.
var stdout, stderr = os.Stdout, os.Stderr

func actAsPlugin(mode string) {
	switch mode {
	case "banner":
		_, _ = stdout.WriteString("Welcome to the \x1b[31mplugin\x1b[0m!\n")
		forever()
	case "endless-banner":
		for {
			_, _ = stdout.WriteString(strings.Repeat("x", 1000))
		}
	case "silent":
		forever()
	case "dies":
		_, _ = stderr.WriteString("panic: no luck today\n")
		syscall.Exit(3)
	case "last-words":
		_, _ = stderr.WriteString(lastWords)
		syscall.Exit(3)
	case "closes":
		_, _ = stderr.WriteString(lastWords)
		_ = stdout.Close()
		forever()
	case "deaf":
		actDeaf()
	case "tcp":
		_, _ = stdout.WriteString("1|1|tcp|127.0.0.1:1|grpc|" + someCertificate + "\n")
		forever()
	case "stubborn":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
		providerplugin.Serve(testProvider{name: mode})
		forever()
	case "unbounded":
		plugin.Serve(&plugin.ServeConfig{
			HandshakeConfig:  providerplugin.Handshake(),
			VersionedPlugins: providerplugin.Plugins(testProvider{name: mode}),
			GRPCServer:       plugin.DefaultGRPCServer, // without the SDK's limits
		})
	case "mute":
		actMute()
	case "other-certificate":
		replaceCertificate()
		providerplugin.Serve(testProvider{name: mode})
	case "not-serving", "no-health", "shutdown-hangs":
		serveWith(mode, misbehaving[mode])
	case "freezes":
		providerplugin.Serve(&freezing{testProvider: testProvider{name: mode}})
	case "needs-telepathy":
		providerplugin.ServeWith(providerplugin.ServeConfig{Providers: []provider.Provider{testProvider{name: mode}}, Needs: []string{"telepathy"}})
	case "asks-for-more":
		providerplugin.ServeWith(providerplugin.ServeConfig{Providers: []provider.Provider{testProvider{name: mode}}, Limits: providerplugin.Limits{BodyBytes: 3 << 20}})
	case "documents":
		actMadeOfDocuments()
	case "twin-a", "twin-b":
		providerplugin.Serve(testProvider{name: "twin"})
	default:
		providerplugin.Serve(testProvider{name: mode})
	}
}

// lastWords are what some modes write before they end.
const lastWords = "reading the settings\n\x1b[2JTraceback (most recent call last):\n" +
	"SettingsError: there is no file \xff settings.json, access_token=abc\nbye\n"

func forever() { waittest.Slow(time.Hour) }

// actDeaf introduces itself well and then never accepts a connection.
func actDeaf() {
	address := filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "plugin1")
	if _, err := net.Listen("unix", address); err != nil {
		panic(err)
	}
	_, _ = stdout.WriteString("1|1|unix|" + address + "|grpc|" + someCertificate + "\n")
	forever()
}

// testProvider does in Refresh what the current access token says.
type testProvider struct{ name string }

func (p testProvider) Describe(context.Context) (*provider.Description, error) {
	return describe(p.name), nil
}

func describe(name string) *provider.Description {
	return &provider.Description{
		Name: name, Title: provider.Text{EN: "Test " + name}, PKCE: provider.PKCENone,
		AutoRenew: provider.AutoRenewRefreshToken, Hosts: []provider.Host{{Pattern: "auth.example.com"}},
	}
}

func (p testProvider) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	switch req.Current.AccessToken {
	case "panic":
		panic("cannot do this")
	case "big":
		return &provider.Token{AccessToken: "x", Extra: map[string]any{"big": strings.Repeat("x", 2<<20)}}, nil
	case "exit":
		_, _ = io.WriteString(stderr, "SettingsError: cannot do this with "+req.Service.ClientSecret+"\n")
		syscall.Exit(5)
	case "quote":
		return nil, provider.Errorf(provider.Transient, "", "no reply to client_secret=%s", url.QueryEscape(req.Service.ClientSecret))
	case "spill":
		spill(req.Service.ClientSecret, req.Current.RefreshToken)
	case "hang":
		forever()
	case "environment":
		return environment(), nil
	case "talk":
		provider.Logger(ctx).Warn("the service was slow", "took", "2s")
	case "odd lines":
		writeOddLines()
	case "flood":
		go func() {
			for {
				_, _ = io.WriteString(stderr, "a line of a flood\n")
			}
		}()
	case "endless line":
		for range 64 {
			_, _ = stderr.Write(make([]byte, 1<<20))
		}
		_, _ = io.WriteString(stderr, "\n")
	case "chatter":
		_, _ = os.Stdout.WriteString("printed on standard output\n") // go-plugin carries it
		_, _ = stderr.WriteString("access_token=abc Bearer 12345 eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln end\n")
	case "fork and exit":
		forkAndExit()
	case "many fields":
		extra := map[string]any{}
		for n := range 200_000 {
			extra[strconv.Itoa(n)] = n
		}
		return &provider.Token{AccessToken: "x", Extra: extra}, nil
	case "deep":
		deep := any("bottom")
		for range 100_000 {
			deep = []any{deep}
		}
		return &provider.Token{AccessToken: "x", Extra: map[string]any{"deep": deep}}, nil
	case "stop":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		select {} // the signal may come to another thread first
	}
	return p.carried(ctx, req)
}

// carried makes the one request of an ordinary renewal.
func (testProvider) carried(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	ask, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://auth.example.com/token", strings.NewReader("refresh"))
	if err != nil {
		return nil, err
	}
	reply, err := req.HTTP.Do(ask)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	return &provider.Token{AccessToken: string(body)}, err
}

func environment() *provider.Token {
	names := []string{}
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	slices.Sort(names)
	dir, _ := os.Getwd()
	stdin, _ := os.Readlink("/proc/self/fd/0")
	var core syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_CORE, &core)
	session, _, _ := syscall.RawSyscall(syscall.SYS_GETSID, 0, 0, 0)
	return &provider.Token{AccessToken: "x", Extra: map[string]any{
		"names": strings.Join(names, " "), "dir": dir, "tmpdir": os.Getenv("TMPDIR"), "stdin": stdin,
		"core": fmt.Sprint(core.Cur), "leads_session": fmt.Sprint(int(session) == os.Getpid()),
	}}
}

func writeOddLines() {
	for _, odd := range []string{
		`{"@message":1}`, `{"@message":"m","@level":[],"@timestamp":5}`, `{"@level":"error"}`, `{`, "null", "[]",
		"invalid \xff\xfe bytes", "a NUL \x00 here", "\x1b[2Jcleared", strings.Repeat("[", 300), "",
		`{"@message":"understood","@level":"warn","answer":42}`,
	} {
		_, _ = io.WriteString(stderr, odd+"\n")
	}
}

// forkAndExit leaves a child that holds all pipes and has left the session.
func forkAndExit() {
	child := exec.Command("/bin/sleep", "5")
	child.Stdout, child.Stderr = stdout, stderr
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		panic(err)
	}
	syscall.Exit(4)
}

// actAsHub hosts the plugins of os.Args[1] with its sockets in os.Args[2], prints
// the process of the first one in the middle of an operation, and waits to be
// killed.
func actAsHub() {
	h, err := New(Options{Dir: os.Args[1], RuntimeDir: os.Args[2]})
	if err != nil {
		panic(err)
	}
	if err := h.Scan(context.Background()); err != nil {
		panic(err)
	}
	err = refreshWith(context.Background(), h, "good", "", func(context.Context) (*providerplugin.HTTPResponse, error) {
		_ = json.NewEncoder(stdout).Encode(h.Plugins()[0].PID)
		forever()
		return nil, errors.New("an hour went by")
	})
	panic(err)
}

// relayFunc is a Relay that answers by a function.
type relayFunc func(context.Context) (*providerplugin.HTTPResponse, error)

func (f relayFunc) RoundTrip(ctx context.Context, _ int, _ *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
	return f(ctx)
}

func (relayFunc) Sign(ctx context.Context, step int, req *providerplugin.SignRequest) (string, error) {
	return providerplugin.NoKeys{}.Sign(ctx, step, req)
}

// refreshWith runs one Refresh that tells the plugin what to do.
func refreshWith(ctx context.Context, h *Host, name, command string, relay relayFunc) error {
	_, err := refreshed(ctx, h, name, command, relay)
	return err
}

func refreshed(ctx context.Context, h *Host, name, command string, relay relayFunc) (token *provider.Token, err error) {
	err = h.Run(ctx, name, func(ctx context.Context, c *providerplugin.Client) error {
		req := &provider.RefreshRequest{Call: provider.Call{Service: provider.Service{Name: "s"}, Now: time.Now()}}
		req.Current.AccessToken = command
		token, err = c.Refresh(ctx, relay, name, req)
		return err
	})
	return token, err
}
