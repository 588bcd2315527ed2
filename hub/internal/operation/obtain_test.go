package operation_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// everything serves each grant that needs no browser, by one request that says which.
type everything struct{ description provider.Description }

func (e everything) Describe(context.Context) (*provider.Description, error) {
	return &e.description, nil
}

func (e everything) ask(ctx context.Context, call provider.Call, what string) (*provider.Token, error) {
	if key := call.Service.Option("dpop"); key != "" {
		ctx = provider.WithDPoP(ctx, key)
	}
	if key := call.Service.Option("certificate"); key != "" {
		ctx = provider.WithClientCertificate(ctx, key)
	}
	out, err := http.NewRequestWithContext(ctx, http.MethodPost, call.Service.Option("server")+"/"+what, nil)
	if err != nil {
		return nil, err
	}
	resp, err := call.HTTP.Do(out)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	return &provider.Token{AccessToken: what + " of " + call.Connection.Name}, nil
}

func (e everything) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	return e.ask(ctx, req.Call, "refresh"+req.RedirectURI)
}

func (e everything) ClientCredentials(ctx context.Context, req *provider.ClientCredentialsRequest) (*provider.Token, error) {
	return e.ask(ctx, req.Call, "client")
}

func (e everything) Assertion(ctx context.Context, req *provider.AssertionRequest) (*provider.Token, error) {
	jwt, err := req.Keys.Sign(ctx, provider.SignRequest{Key: "key", Claims: map[string]any{"sub": req.Connection.Option("subject")}, Lifetime: time.Minute})
	if err != nil {
		return nil, err
	}
	return e.ask(ctx, req.Call, "assertion-"+jwt)
}

func (e everything) Login(ctx context.Context, req *provider.LoginRequest) (*provider.Token, error) {
	return e.ask(ctx, req.Call, "login-"+req.Fields.Text("login"))
}

func (e everything) Static(ctx context.Context, req *provider.StaticRequest) (*provider.Token, error) {
	return e.ask(ctx, req.Call, "static-"+req.Fields.Text("key"))
}

func (e everything) DeviceAuthorization(ctx context.Context, req *provider.DeviceAuthorizationRequest) (*provider.DeviceAuthorization, error) {
	_, err := e.ask(ctx, req.Call, "device")
	return &provider.DeviceAuthorization{DeviceCode: "d", UserCode: "u", VerificationURI: "https://acme.example/device", Data: []byte("data")}, err
}

func (e everything) DeviceToken(ctx context.Context, req *provider.DeviceTokenRequest) (*provider.Token, error) {
	return e.ask(ctx, req.Call, "poll-"+req.DeviceCode+"-"+string(req.Data))
}

func (e everything) Introspect(ctx context.Context, req *provider.IntrospectRequest) (*provider.Introspection, error) {
	_, err := e.ask(ctx, req.Call, "introspect")
	return &provider.Introspection{RefreshToken: provider.Active, Scopes: []string{"a"}}, err
}

// keys are those of a service in tests: one that signs, and errors of each kind.
type keys struct {
	mu     sync.Mutex
	signed int
	err    error
}

type missing struct{ error }

func (missing) Refusal() bool { return true }

func (k *keys) Sign(_ context.Context, _ service.Service, req *providerplugin.SignRequest) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.signed++
	return "jwt" + strings.Repeat("x", k.signed), k.err
}

func (k *keys) Certificate(context.Context, service.Service, string) (*tls.Certificate, error) {
	return &tls.Certificate{}, k.err
}

func (k *keys) Prover(_ context.Context, _ service.Service, name, pinned string) (exchange.Prover, error) {
	return prover{pinned + "/" + name}, k.err
}

type prover struct{ kid string }

func (p prover) KeyID() string                          { return p.kid }
func (p prover) Proof(string, *url.URL) (string, error) { return "proof by " + p.kid, nil }
func (prover) Learn(*url.URL, http.Header)              {}

// obtaining is a Runner over everything, and what its service was asked.
type obtaining struct {
	runner  *operation.Runner
	service service.Service

	mu    sync.Mutex
	paths []string
}

func newObtaining(t *testing.T, k operation.Keys) *obtaining {
	t.Helper()
	o := &obtaining{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.paths = append(o.paths, strings.Trim(r.URL.Path+" "+r.Header.Get("DPoP"), "/ "))
	}))
	t.Cleanup(server.Close)
	d := provider.Description{
		Name: "all", Title: provider.Text{EN: "All"}, AutoRenew: provider.AutoRenewRefreshToken, PKCE: provider.PKCENone, Hosts: []provider.Host{{Pattern: server.URL}},
		Login:     provider.Schema{Options: []provider.Option{{Name: "login", Title: provider.Text{EN: "Login"}}}},
		StaticKey: provider.StaticKey{Fields: provider.Schema{Options: []provider.Option{{Name: "key", Secret: true, Title: provider.Text{EN: "Key"}}}}},
	}
	client, stop, err := providerplugin.InProcess(everything{d})
	must(t, err)
	t.Cleanup(stop)
	sender := egress.New(egress.Options{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	t.Cleanup(sender.Close)
	box, err := seal.Create(filepath.Join(t.TempDir(), "key"))
	must(t, err)
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), box, hclog.NewNullLogger())
	must(t, err)
	t.Cleanup(func() { _ = j.Close() })
	o.runner = operation.NewRunner(operation.Options{
		Plugins: inProcess{client}, Exchanger: exchange.New(exchange.Options{Sender: sender}), Journal: j, Limiter: endpoint.New(endpoint.Options{}), Keys: k, Logger: hclog.NewNullLogger(),
	})
	o.service = service.Service{Name: "svc", Provider: "all", Description: &d, Options: map[string]any{"server": server.URL}}
	return o
}

func (o *obtaining) op() *operation.Op {
	return &operation.Op{
		ID: "op-" + time.Now().Format("150405.000000000"), Service: o.service, Now: time.Now(), Journaled: true,
		Connection: provider.Connection{Name: "sales", Options: map[string]any{"subject": "anna"}},
	}
}

func TestTokensAreObtainedByTheGrantOfTheConnection(t *testing.T) {
	t.Parallel()
	o := newObtaining(t, &keys{})
	fields := provider.Fields{"login": "anna", "key": "k-1"}
	for grant, want := range map[provider.Grant]string{
		provider.GrantAuthorizationCode: "refresh-back", provider.GrantDevice: "refresh-back", provider.GrantClientCredentials: "client",
		provider.GrantAssertion: "assertion-jwtx", provider.GrantLogin: "login-anna",
	} {
		token, out, err := o.runner.Obtain(t.Context(), o.op(), operation.Obtaining{Grant: grant, Fields: fields, RedirectURI: "-back", Current: provider.Token{RefreshToken: "r"}})
		must(t, err)
		if token.AccessToken != want+" of sales" || !out.Answered {
			t.Errorf("%s: %q", grant, token.AccessToken)
		}
	}
	if _, _, err := o.runner.Obtain(t.Context(), o.op(), operation.Obtaining{Grant: provider.GrantStatic}); provider.KindOf(err) != provider.Internal || err == nil {
		t.Errorf("a static key is renewed: %v", err)
	}
	token, err := o.runner.Static(t.Context(), o.op(), fields)
	must(t, err)
	started, err := o.runner.DeviceAuthorization(t.Context(), o.op())
	must(t, err)
	polled, _, err := o.runner.DeviceToken(t.Context(), o.op(), provider.DeviceTokenRequest{DeviceCode: started.DeviceCode, Data: started.Data})
	must(t, err)
	found, err := o.runner.Introspect(t.Context(), o.op(), provider.Token{AccessToken: "a"})
	must(t, err)
	if token.AccessToken != "static-k-1 of sales" || polled.AccessToken != "poll-d-data of sales" || found.RefreshToken != provider.Active || len(found.Scopes) != 1 {
		t.Errorf("got %q, %q, %+v", token.AccessToken, polled.AccessToken, found)
	}
}

// A signature is a step of the operation: a run on its replies gets the same one, and one
// that asks for another ends.
func TestASignatureIsReplayedAsAReplyIs(t *testing.T) {
	t.Parallel()
	k := &keys{}
	o := newObtaining(t, k)
	obtain := func(kept map[int][]byte, subject string) (*provider.Token, operation.Outcome, error) {
		op := o.op()
		op.Kept, op.Connection.Options = kept, map[string]any{"subject": subject}
		return o.runner.Obtain(t.Context(), op, operation.Obtaining{Grant: provider.GrantAssertion})
	}
	first, out, err := obtain(nil, "anna")
	must(t, err)
	again, _, err := obtain(out.Replies, "anna")
	must(t, err)
	if first.AccessToken != again.AccessToken || k.signed != 1 || len(o.paths) != 1 || len(out.Replies) != 2 {
		t.Errorf("%q, then %q, signed %d times, %d requests", first.AccessToken, again.AccessToken, k.signed, len(o.paths))
	}
	_, out, err = obtain(out.Replies, "boris")
	if err == nil || !out.PluginFailed || k.signed != 1 {
		t.Errorf("another assertion was signed on the replies of the first: %v", err)
	}
	if !strings.Contains(fmt.Sprint(err), `: the claim "sub" is another`) {
		t.Errorf("the claim that differs is not named: %v", err)
	}
}

// The versions of keys that proved possession are part of the outcome, of a replay too.
func TestTheKeysThatProvePossessionAreTold(t *testing.T) {
	t.Parallel()
	o := newObtaining(t, &keys{})
	o.service.Options["dpop"] = "dpop"
	op := o.op()
	op.KeyIDs = map[string]string{"dpop": "pinned"}
	_, out, err := o.runner.Obtain(t.Context(), op, operation.Obtaining{Grant: provider.GrantClientCredentials})
	must(t, err)
	replay := o.op()
	replay.Kept = out.Replies
	_, replayed, err := o.runner.Obtain(t.Context(), replay, operation.Obtaining{Grant: provider.GrantClientCredentials})
	must(t, err)
	if out.KeyIDs["dpop"] != "pinned/dpop" || replayed.KeyIDs["dpop"] != "pinned/dpop" || len(o.paths) != 1 || o.paths[0] != "client proof by pinned/dpop" {
		t.Errorf("told %v, then %v after %q", out.KeyIDs, replayed.KeyIDs, o.paths)
	}
}

// Who has to act on a key that cannot be used: the operator, or nobody while the database
// is away. Nothing is sent.
func TestAKeyThatCannotBeUsedEndsTheOperation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		keys operation.Keys
		want provider.Kind
	}{
		"a hub without keys":   {nil, provider.Blocked},
		"a key is missing":     {&keys{err: missing{errors.New("no such key")}}, provider.Blocked},
		"the database is away": {&keys{err: errors.New("no connection")}, provider.Transient},
	} {
		for _, use := range []string{"sign", "dpop", "certificate"} {
			o := newObtaining(t, c.keys)
			grant := provider.GrantClientCredentials
			if o.service.Options[use] = "key"; use == "sign" {
				grant = provider.GrantAssertion
			}
			_, out, err := o.runner.Obtain(t.Context(), o.op(), operation.Obtaining{Grant: grant})
			failure, ok := errors.AsType[*provider.Error](err)
			if !ok || failure.Kind != c.want || failure.Code != operation.CodeKey || out.Sent || len(o.paths) != 0 {
				t.Errorf("%s, %s: %v after %q", name, use, err, o.paths)
			}
		}
	}
}
