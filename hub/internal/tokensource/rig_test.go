package tokensource_test

import (
	"context"
	"encoding/json"
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

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/identity"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// rig is a Source with its real neighbours and a token endpoint that rotates refresh
// tokens and answers when it is let.
type rig struct {
	store   *store.Store
	journal *journal.Journal
	source  *tokensource.Source
	box     *seal.Box
	dir     string // of the journal
	client  *providerplugin.Client
	service service.Service
	c       connection.Connection

	arrived chan string // refresh tokens, as they come
	let     chan struct{}
	// refused are the client secrets that the service refuses, and secrets those that came.
	refused sync.Map
	secrets chan string
	// asked is the part that each refresh token was sent for; brings is a part that replies
	// to renewals have beside their set.
	asked  sync.Map
	brings string
}

// rotating asks the service's endpoint for the next token set.
type rotating struct{ description provider.Description }

func (r rotating) Describe(context.Context) (*provider.Description, error) {
	return &r.description, nil
}

func (r rotating) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	form := url.Values{"refresh_token": {req.Current.RefreshToken}, "client_secret": {req.Service.ClientSecret}, "part": {req.Connection.Part}}
	out, err := http.NewRequestWithContext(ctx, http.MethodPost, req.Service.Option("server"), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	out.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := req.HTTP.Do(out)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusUnauthorized {
		return nil, provider.Errorf(provider.Blocked, "invalid_client", "the service refuses the client")
	}
	var reply struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Part    string `json:"part"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		return nil, err
	}
	token := &provider.Token{AccessToken: reply.Access, RefreshToken: reply.Refresh, ExpiresIn: new(time.Hour)}
	if reply.Part != "" { // against the contract
		token.Parts = []provider.PartToken{{Part: reply.Part, Token: provider.Token{AccessToken: "of a part"}}}
	}
	return token, nil
}

// inProcess runs operations in this process, over real gRPC.
type inProcess struct{ client *providerplugin.Client }

// Run implements operation.Plugins.
func (p inProcess) Run(ctx context.Context, _ string, do func(context.Context, *providerplugin.Client) error) error {
	return do(ctx, p.client)
}

// Description implements operation.Plugins.
func (inProcess) Description(string) (d provider.Description, sum string, ok bool) {
	return d, "", false
}

// newRig makes a connection whose access token lives so long from now.
func newRig(t *testing.T, life time.Duration) *rig {
	return newRigOf(t, life, provider.Rotation{Kind: provider.RotationRotates})
}

// newRigOf is newRig for a service that rotates otherwise.
func newRigOf(t *testing.T, life time.Duration, rotation provider.Rotation) *rig {
	t.Helper()
	r := &rig{box: storetest.Box(t), dir: filepath.Join(storetest.Folder(t), "journal"), arrived: make(chan string, 10), let: make(chan struct{}, 10), secrets: make(chan string, 10)}
	r.store = storetest.OpenWith(t, store.Options{DataDir: storetest.Folder(t), Box: r.box})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		token := req.FormValue("refresh_token")
		r.arrived <- token
		r.secrets <- req.FormValue("client_secret")
		r.asked.Store(token, req.FormValue("part"))
		<-r.let
		if _, bad := r.refused.Load(req.FormValue("client_secret")); bad {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"access_token": token + "-a", "refresh_token": token + "+", "part": r.brings})
	}))
	t.Cleanup(func() { close(r.let); server.Close() })
	d := provider.Description{
		Name: "rotating", Title: provider.Text{EN: "Rotating"}, AutoRenew: provider.AutoRenewRefreshToken, PKCE: provider.PKCENone, API: provider.API{In: "header"},
		Rotation: rotation, Hosts: []provider.Host{{Pattern: provider.OptionHost("server"), ClientSecret: true}},
		Options: provider.Schema{Options: []provider.Option{{Name: "server", Format: "uri", Title: provider.Text{EN: "Server"}}}},
	}
	client, stop, err := providerplugin.InProcess(rotating{d})
	must(t, err)
	t.Cleanup(stop)
	r.client = client
	now := time.Now()
	r.service = service.Service{
		ID: store.NewID(), Name: "svc", Title: "svc", Provider: d.Name, Description: &d, CreatedAt: now, UpdatedAt: now, Options: map[string]any{"server": server.URL},
	}
	must(t, r.store.Services.CreateService(t.Context(), r.service))
	r.c = r.add(t, "sales", life)
	return r
}

// add makes a connection.
func (r *rig) add(t *testing.T, name string, life time.Duration) connection.Connection {
	t.Helper()
	now := time.Now()
	token := provider.Token{AccessToken: name + "-a0", RefreshToken: name + "-r", ExpiresIn: new(life + time.Hour)}
	c := connection.New(now, store.NewID(), name, name, r.service.ID, connection.PolicyOf(r.service.Description, provider.GrantAuthorizationCode)).
		Granted(now, now.Add(-time.Hour), token, provider.Account{}, nil)
	must(t, r.store.Grants.CreateConnection(t.Context(), c))
	return c
}

// start opens the journal and starts a Source; change may set its options.
func (r *rig) start(t *testing.T, change func(*tokensource.Options, *operation.Options)) {
	t.Helper()
	var err error
	r.journal, err = journal.Open(r.dir, r.box, hclog.NewNullLogger())
	must(t, err)
	sender := egress.New(egress.Options{Version: "test", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	x := exchange.New(exchange.Options{Sender: sender})
	limiter := endpoint.New(endpoint.Options{})
	po := operation.Options{Plugins: inProcess{r.client}, Exchanger: x, Journal: r.journal, Limiter: limiter, Logger: hclog.NewNullLogger()}
	who, err := identity.Enter(t.Context(), identity.Options{Store: r.store, Journal: r.journal})
	must(t, err)
	so := tokensource.Options{Store: r.store, Exchanger: x, Journal: r.journal, Identity: who, Limiter: limiter, Logger: hclog.NewNullLogger()}
	if change != nil {
		change(&so, &po)
	}
	so.Runner = operation.NewRunner(po)
	source, j := tokensource.New(so), r.journal
	r.source = source
	t.Cleanup(sync.OnceFunc(func() {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		ended := make(chan struct{})
		go func() { source.Close(over); close(ended) }()
		x.Close()
		<-ended
		_ = j.Close()
	}))
}

func (r *rig) read(t *testing.T) connection.Connection {
	t.Helper()
	c, err := r.store.Grants.Connection(t.Context(), r.c.ID)
	must(t, err)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
