package authflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// team is a provider whose authorization yields a bot's token set and, as parts, a user's
// and a guest's. Its service answers with the token in its own JSON.
type team struct{ description provider.Description }

func (t team) Describe(context.Context) (*provider.Description, error) { return &t.description, nil }

func (t team) AuthCodeURL(_ context.Context, req *provider.AuthCodeURLRequest) (*provider.AuthCodeURL, error) {
	return &provider.AuthCodeURL{URL: req.Service.Option("server") + "/authorize?" + url.Values{"state": {req.State}}.Encode()}, nil
}

func (t team) Exchange(ctx context.Context, req *provider.ExchangeRequest) (*provider.Token, error) {
	return t.token(ctx, req.Call)
}

func (t team) DeviceAuthorization(context.Context, *provider.DeviceAuthorizationRequest) (*provider.DeviceAuthorization, error) {
	return &provider.DeviceAuthorization{DeviceCode: "device", UserCode: "USER", VerificationURI: "https://team.example/device", Interval: time.Second}, nil
}

func (t team) DeviceToken(ctx context.Context, req *provider.DeviceTokenRequest) (*provider.Token, error) {
	return t.token(ctx, req.Call)
}

func (t team) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	return t.token(ctx, req.Call)
}

// Identify names the account of a part by what its access token begins with.
func (t team) Identify(_ context.Context, req *provider.IdentifyRequest) (*provider.Account, error) {
	var asked struct{ Account, Part string }
	if err := json.Unmarshal([]byte(req.Current.AccessToken), &asked); err != nil || asked.Account == "" {
		return nil, provider.Errorf(provider.Transient, "", "the service did not say")
	}
	if asked.Part != req.Connection.Part {
		return nil, provider.Errorf(provider.Internal, "", "asked as %q for the part %q", req.Connection.Part, asked.Part)
	}
	return &provider.Account{ID: asked.Account, Name: asked.Account + "@team.example"}, nil
}

func (t team) token(ctx context.Context, call provider.Call) (*provider.Token, error) {
	out, err := http.NewRequestWithContext(ctx, http.MethodPost, call.Service.Option("server")+"/token", http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := call.HTTP.Do(out)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	token := &provider.Token{}
	return token, json.Unmarshal(body, token)
}

// inProcess runs operations in this process, over real gRPC.
type inProcess struct {
	client *providerplugin.Client
	team
}

// Run implements operation.Plugins.
func (p inProcess) Run(ctx context.Context, _ string, do func(context.Context, *providerplugin.Client) error) error {
	return do(ctx, p.client)
}

// Description implements operation.Plugins.
func (p inProcess) Description(string) (d provider.Description, sum string, ok bool) {
	return p.description, "", true
}

// teamRig is a Flow at a service that answers what the test says.
type teamRig struct {
	*rig
	mu     sync.Mutex
	answer provider.Token
	asked  int
}

// forTeam makes a service of the provider team, and its connection "sales".
func forTeam(t *testing.T, s *store.Store, grant provider.Grant) (*teamRig, connection.Connection) {
	t.Helper()
	r := &teamRig{rig: &rig{store: s, granted: make(chan connection.Connection, 20)}}
	r.served = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.asked++
		_ = json.NewEncoder(w).Encode(r.answer)
	}))
	t.Cleanup(r.served.Close)
	d := provider.Description{
		Name: "team", Title: provider.Text{EN: "Team"}, AutoRenew: provider.AutoRenewRefreshToken, PKCE: provider.PKCENone, API: provider.API{In: "header"},
		Rotation: provider.Rotation{Kind: provider.RotationRotates}, Hosts: []provider.Host{{Pattern: provider.OptionHost("server"), ClientSecret: true}},
		Options: provider.Schema{Options: []provider.Option{{Name: "server", Format: "uri", Title: provider.Text{EN: "Server"}}}},
		Parts:   []provider.Part{{Name: "user", Title: provider.Text{EN: "user", RU: "пользователь"}}, {Name: "guest", Title: provider.Text{EN: "guest"}}},
	}
	client, stop, err := providerplugin.InProcess(team{d})
	must(t, err)
	t.Cleanup(stop)
	described, err := client.Describe(t.Context())
	must(t, err)
	d = described.Descriptions[0]
	r.runner = operation.NewRunner(operation.Options{
		Plugins: inProcess{client, team{d}}, Exchanger: r.exchanger(t), Journal: r.journal(t), Limiter: endpoint.New(endpoint.Options{}),
		Logger: hclog.NewNullLogger(), WorkTimeout: time.Minute,
	})
	r.flow = r.newFlow(0)
	t.Cleanup(func() { r.flow.Wait() })
	now := time.Now()
	r.service = service.Service{
		ID: store.NewID(), Name: "team", Title: "Team", Provider: "team", ClientID: "client", ClientSecret: "secret", Scopes: []string{"chat"},
		Description: &d, Options: map[string]any{"server": r.served.URL}, CreatedAt: now, UpdatedAt: now,
	}
	must(t, s.Services.CreateService(t.Context(), r.service))
	c := connection.New(now, store.NewID(), "sales", "Sales", r.service.ID, connection.PolicyOf(&d, grant))
	c.Grant = grant
	must(t, s.Grants.CreateConnection(t.Context(), c))
	return r, c
}

func (r *teamRig) exchanger(t *testing.T) *exchange.Exchanger {
	t.Helper()
	x := exchange.New(exchange.Options{Sender: egress.New(egress.Options{Version: "test", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})})
	t.Cleanup(x.Close)
	return x
}

func (r *teamRig) journal(t *testing.T) *journal.Journal {
	t.Helper()
	j, err := journal.Open(filepath.Join(storetest.Folder(t), "journal"), storetest.Box(t), hclog.NewNullLogger())
	must(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// set is a token set of a part in an authorization of a number.
func set(part, account string, number int) provider.Token {
	access, _ := json.Marshal(struct{ Account, Part string }{account, part})
	return provider.Token{
		AccessToken: string(access), RefreshToken: fmt.Sprintf("refresh-%s-%d", part, number), ExpiresIn: new(time.Duration(number) * time.Hour),
	}
}

// brings has the service answer the nth authorization with the bot's set and those of parts.
func (r *teamRig) brings(n int, parts ...provider.PartToken) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = set("", "bot", n)
	r.answer.Parts = parts
}

func part(name, account string, n int) provider.PartToken {
	return provider.PartToken{Part: name, Token: set(name, account, n)}
}

// authorize authorizes a connection in the browser.
func (r *teamRig) authorize(t *testing.T, id string) (*authflow.Finished, error) {
	t.Helper()
	started := r.start(t, id)
	u, err := url.Parse(started.URL)
	must(t, err)
	return r.flow.Finish(t.Context(), "team", url.Values{"state": u.Query()["state"], "code": {"code"}}, browser)
}

func (r *teamRig) parts(t *testing.T, mainID string) []string {
	t.Helper()
	all, err := r.store.Grants.Parts(t.Context(), mainID)
	must(t, err)
	var lines []string
	for _, p := range all {
		lines = append(lines, fmt.Sprintf("%s %s %d %s trashed=%t", p.Name, p.Part, p.Generation, p.Tokens.RefreshToken, p.Trashed))
	}
	return lines
}

func wantParts(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("the parts are %q, want %q", got, want)
	}
}

func TestOneAuthorizationGivesAConnectionForEachPartThatCame(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r, c := forTeam(t, s, provider.GrantAuthorizationCode)
		must(t, s.Grants.SetTags(t.Context(), c.ID, []string{"moscow"}))
		contact := policy.Contact{ID: store.NewID(), Title: "Ann", Lang: "en"}
		must(t, s.People.SaveContact(t.Context(), contact, time.Now()))
		must(t, s.People.SetOwner(t.Context(), c.ID, contact.ID))
		foreign := connection.New(time.Now(), store.NewID(), "sales-user", "Other", r.service.ID, c.Policy)
		must(t, s.Grants.CreateConnection(t.Context(), foreign))
		r.brings(2, part("user", "ann", 3))
		finished, err := r.authorize(t, c.ID)
		must(t, err)
		if len(finished.Parts) != 1 || len(finished.Missing) != 0 {
			t.Fatalf("finished with %d parts", len(finished.Parts))
		}
		user, err := s.Grants.ConnectionByName(t.Context(), "sales-user-2")
		must(t, err)
		main, err := s.Grants.Connection(t.Context(), c.ID)
		must(t, err)
		if user.MainID != c.ID || user.Part != "user" || user.Title != "Sales · user" || user.Grant != c.Grant || user.State != connection.StateActive ||
			user.Account.ID != "ann" || main.Account.ID != "bot" || user.Generation != 1 || user.Lineage == "" || user.Lineage == main.Lineage ||
			user.Tokens.RefreshToken != "refresh-user-3" || main.Tokens.RefreshToken != "refresh--2" || user.Policy.AutoRenew != provider.AutoRenewRefreshToken {
			t.Errorf("the part is %+v of %v, its main of %v", user, user.Account, main.Account)
		}
		if apart := user.Tokens.ExpiresAt.Sub(main.Tokens.ExpiresAt); apart != time.Hour || user.Due.IsZero() || user.Due.Equal(main.Due) {
			t.Errorf("they end %s apart and are due at %s and %s", apart, user.Due, main.Due)
		}
		tags, err := s.Grants.TagsOf(t.Context(), user.ID)
		must(t, err)
		owner, err := s.People.Owner(t.Context(), user.ID)
		must(t, err)
		if !slices.Equal(tags, []string{"moscow"}) || owner != contact.ID {
			t.Errorf("it has the tags %v and the owner %q", tags, owner)
		}
		for _, want := range []string{c.ID, user.ID} {
			if told := <-r.granted; told.ID != want {
				t.Errorf("told of %s", told.Name)
			}
		}
	})
}

func TestANewAuthorizationRenewsTheGrantsOfItsParts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r, c := forTeam(t, s, provider.GrantAuthorizationCode)
		r.brings(1, part("user", "ann", 1), part("guest", "bob", 1))
		_, err := r.authorize(t, c.ID)
		must(t, err)
		wantParts(t, r.parts(t, c.ID), "sales-user user 1 refresh-user-1 trashed=false", "sales-guest guest 1 refresh-guest-1 trashed=false")
		guest, err := s.Grants.ConnectionByName(t.Context(), "sales-guest")
		must(t, err)
		must(t, s.Grants.UpdateConnection(t.Context(), guest.Paused(time.Now()), guest))

		// What does not come stays as it is.
		r.brings(2, part("user", "ann", 2))
		finished, err := r.authorize(t, c.ID)
		must(t, err)
		if len(finished.Missing) != 1 || finished.Missing[0].Name != "sales-guest" {
			t.Errorf("missing: %v", finished.Missing)
		}
		wantParts(t, r.parts(t, c.ID), "sales-user user 2 refresh-user-2 trashed=false", "sales-guest guest 1 refresh-guest-1 trashed=false")

		// One in the trash keeps the grant there, and a paused one stays paused.
		user, err := s.Grants.ConnectionByName(t.Context(), "sales-user")
		must(t, err)
		must(t, s.Grants.TrashConnection(t.Context(), user.ID, "anna", time.Now()))
		r.brings(3, part("user", "ann", 3), part("guest", "bob", 3))
		_, err = r.authorize(t, c.ID)
		must(t, err)
		wantParts(t, r.parts(t, c.ID), "sales-user user 3 refresh-user-3 trashed=true", "sales-guest guest 2 refresh-guest-3 trashed=false")
		if guest, err = s.Grants.Connection(t.Context(), guest.ID); err != nil || guest.State != connection.StatePaused || !guest.Due.IsZero() {
			t.Errorf("the paused part is %s, %v", guest.State, err)
		}
		if _, err := s.Grants.Connection(t.Context(), user.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the part came out of the trash: %v", err)
		}
		back, err := s.Grants.RestoreTrashed(t.Context(), user.ID, "renamed", time.Now())
		must(t, err)
		if back.State != connection.StateActive || back.Generation != 3 || back.Due.IsZero() || back.Lineage == user.Lineage || back.MainID != c.ID {
			t.Errorf("put back as %s, generation %d, due %s", back.State, back.Generation, back.Due)
		}
		past, err := s.Grants.History(t.Context(), user.ID)
		must(t, err)
		if len(past) != 2 {
			t.Errorf("%d token sets are kept of before", len(past))
		}
	})
}

func TestAnAccountOfOnePartRefusesTheWhole(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		parts  []provider.PartToken
		allow  []string
		reason authflow.Reason
		part   string
		kept   bool // aside
	}{
		"another account":                 {parts: []provider.PartToken{part("user", "eve", 2)}, reason: authflow.ReasonOtherAccount, part: "user"},
		"an account that may not":         {parts: []provider.PartToken{part("guest", "eve", 2)}, allow: []string{"bob"}, reason: authflow.ReasonAccountNotAllowed, part: "guest"},
		"an account that nobody names":    {parts: []provider.PartToken{part("user", "", 2)}, reason: authflow.ReasonAccountUnproven, part: "user", kept: true},
		"no refresh token":                {parts: []provider.PartToken{{Part: "user", Token: provider.Token{AccessToken: set("user", "ann", 2).AccessToken}}}, reason: authflow.ReasonWouldLoseRenewal, part: "user", kept: true},
		"one unproven, one of another":    {parts: []provider.PartToken{part("guest", "", 2), part("user", "eve", 2)}, reason: authflow.ReasonOtherAccount, part: "user"},
		"an account that the reply names": {parts: []provider.PartToken{{Part: "user", Token: set("user", "ann", 2), Account: provider.Account{ID: "eve"}}}, reason: authflow.ReasonOtherAccount, part: "user"},
		"a part that is not declared":     {parts: []provider.PartToken{part("robot", "ann", 2)}, reason: authflow.ReasonInternal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storetest.SQLite(t)
			r, c := forTeam(t, s, provider.GrantAuthorizationCode)
			r.brings(1, part("user", "ann", 1), part("guest", "bob", 1))
			_, err := r.authorize(t, c.ID)
			must(t, err)
			guest, err := s.Grants.ConnectionByName(t.Context(), "sales-guest")
			must(t, err)
			if tt.allow != nil {
				unknown := guest
				unknown.Account = provider.Account{}
				must(t, s.Grants.UpdateConnection(t.Context(), unknown, guest))
				must(t, s.Grants.SetAllowedAccounts(t.Context(), guest.ID, tt.allow))
			}
			r.brings(2, tt.parts...)
			_, err = r.authorize(t, c.ID)
			failure := wantFailure(t, err, tt.reason)
			if failure.Part.EN != tt.part {
				t.Errorf("it is about the part %q", failure.Part.EN)
			}
			wantParts(t, r.parts(t, c.ID), "sales-user user 1 refresh-user-1 trashed=false", "sales-guest guest 1 refresh-guest-1 trashed=false")
			if main, err := s.Grants.Connection(t.Context(), c.ID); err != nil || main.Generation != 1 {
				t.Errorf("the main one is of generation %d, %v", main.Generation, err)
			}
			if o, err := s.Authorizations.Offer(t.Context(), c.ID, time.Now()); (err == nil) != tt.kept || err == nil && o.Part.EN != tt.part {
				t.Errorf("kept aside: %v", err)
			}
		})
	}
}

// A person who takes what was kept aside takes the grants of the parts with it, and confirms
// their accounts.
func TestAnOfferIsTakenWithItsParts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r, c := forTeam(t, s, provider.GrantAuthorizationCode)
		r.brings(1, part("user", "ann", 1))
		_, err := r.authorize(t, c.ID)
		must(t, err)
		r.brings(2, part("user", "", 2), part("guest", "bob", 2))
		_, err = r.authorize(t, c.ID)
		wantFailure(t, err, authflow.ReasonAccountUnproven)
		taken, err := r.flow.TakeOffer(t.Context(), c.ID)
		must(t, err)
		wantParts(t, r.parts(t, c.ID), "sales-user user 2 refresh-user-2 trashed=false", "sales-guest guest 1 refresh-guest-2 trashed=false")
		user, err := s.Grants.ConnectionByName(t.Context(), "sales-user")
		must(t, err)
		guest, err := s.Grants.ConnectionByName(t.Context(), "sales-guest")
		must(t, err)
		if taken.Generation != 2 || user.Account.ID != "ann" || guest.Account.ID != "bob" {
			t.Errorf("generation %d, accounts %q and %q", taken.Generation, user.Account.ID, guest.Account.ID)
		}
	})
}

// Each of two parts that authorizations renew at the same time ends with a set of one of
// them, and nothing is made twice.
func TestAuthorizationsAtTheSameTimeMakeNoPartTwice(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r, c := forTeam(t, s, provider.GrantAuthorizationCode)
		r.brings(1, part("user", "ann", 1), part("guest", "bob", 1))
		var all sync.WaitGroup
		for range 3 {
			started := r.start(t, c.ID)
			u, err := url.Parse(started.URL)
			must(t, err)
			all.Go(func() {
				if _, err := r.flow.Finish(t.Context(), "team", url.Values{"state": u.Query()["state"], "code": {"code"}}, browser); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		wantParts(t, r.parts(t, c.ID), "sales-user user 3 refresh-user-1 trashed=false", "sales-guest guest 3 refresh-guest-1 trashed=false")
	})
}

// The reply that brings the tokens is read once by a hub that dies, and gives the main
// connection and each part exactly once to the one that comes after.
func TestAReplyWithPartsThatADeadHubHasReadIsSavedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r, c := forTeam(t, s, provider.GrantDevice)
		r.brings(1, part("user", "ann", 1), part("guest", "bob", 1))
		d := startDevice(t, r.flow, c)
		must(t, authflow.AskDeviceAndDie(t.Context(), r.flow, d))
		wantParts(t, r.parts(t, c.ID))
		_, ends := r.polling(t, nil)
		must(t, waittest.For(t, "the grant of the kept reply", ends).err)
		wantParts(t, r.parts(t, c.ID), "sales-user user 1 refresh-user-1 trashed=false", "sales-guest guest 1 refresh-guest-1 trashed=false")
		r.mu.Lock()
		defer r.mu.Unlock()
		if main, err := s.Grants.Connection(t.Context(), c.ID); err != nil || main.Generation != 1 || r.asked != 1 || len(r.runner.PendingDevices()) != 0 {
			t.Errorf("generation %d after %d requests, %d open, %v", main.Generation, r.asked, len(r.runner.PendingDevices()), err)
		}
	})
}

// Where the account of a part is another one on a device, the page can say of which.
func TestADeviceAuthorizationNamesThePartThatRefusesIt(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	r, c := forTeam(t, s, provider.GrantDevice)
	flow, ends := r.polling(t, nil)
	r.brings(1, part("user", "ann", 1))
	startDevice(t, flow, c)
	must(t, waittest.For(t, "the first grant", ends).err)
	r.brings(2, part("user", "eve", 2))
	startDevice(t, flow, c)
	failure := wantFailure(t, waittest.For(t, "the refusal", ends).err, authflow.ReasonOtherAccount)
	left, err := flow.Device(t.Context(), c.ID)
	must(t, err)
	if failure.Part.EN != "user" || left.End.Part.EN != "user" || left.End.Got.ID != "eve" {
		t.Errorf("it ended with %+v", left.End)
	}
	wantParts(t, r.parts(t, c.ID), "sales-user user 1 refresh-user-1 trashed=false")
}

func TestAPartIsAuthorizedByItsMainConnection(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	r, c := forTeam(t, s, provider.GrantAuthorizationCode)
	r.brings(1, part("user", "ann", 1))
	_, err := r.authorize(t, c.ID)
	must(t, err)
	user, err := s.Grants.ConnectionByName(t.Context(), "sales-user")
	must(t, err)
	if main, err := r.flow.Authorizes(t.Context(), user); err != nil || main.ID != c.ID {
		t.Errorf("it is authorized by %s, %v", main.Name, err)
	}
	if main, err := r.flow.Authorizes(t.Context(), c); err != nil || main.ID != c.ID {
		t.Errorf("the main one is authorized by %s, %v", main.Name, err)
	}
	must(t, s.Grants.TrashConnection(t.Context(), c.ID, "anna", time.Now()))
	if _, err := r.flow.Authorizes(t.Context(), user); !errors.Is(err, authflow.ErrMainGone) {
		t.Errorf("without its main one: %v", err)
	}
	if _, err := s.Grants.Connection(t.Context(), user.ID); err != nil {
		t.Errorf("the part went with its main one: %v", err)
	}
}

// A grant that is not kept is handed over with its parts.
func TestAHandoverHasTheParts(t *testing.T) {
	t.Parallel()
	r, _ := forTeam(t, storetest.SQLite(t), provider.GrantAuthorizationCode)
	r.brings(1, part("user", "ann", 1))
	finished, err := r.authorize(t, "")
	must(t, err)
	if !finished.Once || len(finished.Parts) != 1 || finished.Parts[0].Tokens.RefreshToken != "refresh-user-1" || finished.Parts[0].Part != "user" {
		t.Errorf("handed over %+v", finished.Parts)
	}
}
