package providertest

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// grant is a provider that is pointed at an authorization server, with a token
// set of a fresh grant there.
type grant struct {
	t      *testing.T
	server *authserver.Server
	p      provider.Provider
	client *providerplugin.Client
	stop   func()
	call   provider.Call
	token  provider.Token
}

func newGrant(t *testing.T, config authserver.Config) *grant {
	t.Helper()
	server := authserver.New(config)
	address, err := server.Start("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	c := standardConfig()
	c.AuthURL, c.TokenURL = address+"/authorize", address+"/token"
	c.Description.Hosts = []provider.Host{{Pattern: address, ClientSecret: true}}
	g := &grant{t: t, server: server, p: oauth.New(c)}
	g.call = provider.Call{Now: time.Now(), Service: provider.Service{Name: "acme", ClientID: "client", ClientSecret: "secret"}}
	granted := server.Grant(authserver.DefaultAccounts()[0], "parcels")
	g.token.AccessToken, g.token.RefreshToken = granted.Access, granted.Refresh
	g.restart()
	return g
}

// restart serves the provider anew, as after a crash.
func (g *grant) restart() {
	g.t.Helper()
	client, stop, err := providerplugin.InProcess(g.p)
	if err != nil {
		g.t.Fatal(err)
	}
	g.client, g.stop = client, stop
	g.t.Cleanup(stop)
}

func (g *grant) refresh(ctx context.Context, relay providerplugin.Relay) (*provider.Token, error) {
	return g.client.Refresh(ctx, relay, "acme", &provider.RefreshRequest{Call: g.call, Current: g.token})
}

func TestAPersonAuthorizesThroughThePlugin(t *testing.T) {
	g := newGrant(t, authserver.Config{RequirePKCE: true})
	relay := &Relay{}
	address, err := g.client.AuthCodeURL(t.Context(), relay, "acme", &provider.AuthCodeURLRequest{
		Call: g.call, State: "s", RedirectURI: redirectURI, CodeChallenge: challenge,
	})
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := browser.PostForm(address.URL, url.Values{"login": {"anna@example.test"}, "password": {"anna"}, "decision": {"allow"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	back, err := response.Location()
	if err != nil {
		t.Fatal(err)
	}
	token, err := g.client.Exchange(t.Context(), relay, "acme", &provider.ExchangeRequest{
		Call: g.call, Code: back.Query().Get("code"), Params: back.Query(), RedirectURI: redirectURI,
		CodeVerifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", // of challenge, RFC 7636 appendix B
	})
	if err != nil || g.server.TokenState(token.AccessToken) != authserver.Valid || len(relay.Requests()) != 1 {
		t.Errorf("got %v, %v after %d requests", token, err, len(relay.Requests()))
	}
}

func TestAPluginThatDiesAfterTheRotationLosesNothing(t *testing.T) {
	g := newGrant(t, authserver.Config{})
	wire := &Relay{}
	var journal *providerplugin.HTTPResponse
	_, err := g.refresh(t.Context(), &script{answer: func(ctx context.Context, step int, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
		reply, err := wire.RoundTrip(ctx, step, req)
		journal = reply
		g.stop() // the reply is in the journal, the plugin never sees it
		return reply, err
	}})
	if err == nil || provider.KindOf(err) == provider.ReauthorizationRequired {
		t.Fatalf("the plugin's death gave %v", err)
	}
	g.restart()
	token, err := g.refresh(t.Context(), &script{answer: func(context.Context, int, *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
		return journal, nil
	}})
	if err != nil || g.server.TokenState(token.AccessToken) != authserver.Valid {
		t.Fatalf("the grant is lost: %v", err)
	}
	if g.server.TokenRequests("refresh_token") != 1 || g.server.DoubleSpent() != 0 {
		t.Errorf("%d renewals were sent, %d refresh tokens were spent twice", g.server.TokenRequests("refresh_token"), g.server.DoubleSpent())
	}
}

func TestALostReplyIsTransientAndNotSentAgain(t *testing.T) {
	g := newGrant(t, authserver.Config{})
	g.server.SetFault(authserver.CutBody())
	_, err := g.refresh(t.Context(), &Relay{})
	if provider.KindOf(err) != provider.Transient || g.server.TokenRequests("") != 1 {
		t.Errorf("got %v after %d requests", err, g.server.TokenRequests(""))
	}
}

func TestAHungServiceIsLeftWhenTheCallerLeaves(t *testing.T) {
	g := newGrant(t, authserver.Config{})
	struck, done := make(chan struct{}), make(chan error)
	f := authserver.Stalled()
	f.Struck = func() { close(struck) }
	g.server.SetFault(f)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, err := g.refresh(ctx, &Relay{})
		done <- err
	}()
	<-struck
	cancel()
	if err := <-done; err == nil || provider.KindOf(err) == provider.ReauthorizationRequired {
		t.Errorf("got %v", err)
	}
}
