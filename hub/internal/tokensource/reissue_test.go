package tokensource_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// robot obtains tokens by client credentials; its service says of itself that it rotates,
// which does not concern what is obtained anew.
type robot struct{ description provider.Description }

func (r robot) Describe(context.Context) (*provider.Description, error) { return &r.description, nil }

func (r robot) ClientCredentials(ctx context.Context, req *provider.ClientCredentialsRequest) (*provider.Token, error) {
	out, err := http.NewRequestWithContext(ctx, http.MethodPost, req.Service.Option("server"), strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		return nil, err
	}
	resp, err := req.HTTP.Do(out)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var reply struct {
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		return nil, err
	}
	return &provider.Token{AccessToken: reply.Access, ExpiresIn: new(time.Hour)}, nil
}

// robotRig is a rig whose connection gets its tokens by client credentials, and the count of
// the requests.
func robotRig(t *testing.T) (*rig, *atomic.Int32) {
	t.Helper()
	r, asked := newRig(t, -time.Minute), &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"access_token":"robot-%d"}`, asked.Add(1))
	}))
	t.Cleanup(server.Close)
	d := provider.Description{
		Name: "robot", Title: provider.Text{EN: "Robot"}, AutoRenew: provider.AutoRenewReissue, PKCE: provider.PKCENone, API: provider.API{In: "header"},
		Rotation: provider.Rotation{Kind: provider.RotationRotates}, Hosts: []provider.Host{{Pattern: provider.OptionHost("server")}},
		Options: provider.Schema{Options: []provider.Option{{Name: "server", Format: "uri", Title: provider.Text{EN: "Server"}}}},
	}
	client, stop, err := providerplugin.InProcess(robot{d})
	must(t, err)
	t.Cleanup(stop)
	r.client = client
	now := time.Now()
	r.service = service.Service{
		ID: store.NewID(), Name: "robot", Title: "robot", Provider: d.Name, Description: &d, CreatedAt: now, UpdatedAt: now, Options: map[string]any{"server": server.URL},
	}
	must(t, r.store.Services.CreateService(t.Context(), r.service))
	c := connection.New(now, store.NewID(), "robot", "robot", r.service.ID, connection.PolicyOf(&d, provider.GrantClientCredentials))
	c.Grant = provider.GrantClientCredentials
	c = c.Obtained(now, now.Add(-2*time.Hour), provider.Token{AccessToken: "robot-0", ExpiresIn: new(time.Hour)}, provider.Account{}, nil, nil, time.Time{})
	must(t, r.store.Grants.CreateConnection(t.Context(), c))
	r.c = c
	return r, asked
}

func TestATokenIsObtainedAgainWithoutARefreshToken(t *testing.T) {
	r, asked := robotRig(t)
	r.start(t, nil)
	pulled, err := r.source.Serve(t.Context(), r.c, time.Minute, 10*time.Second)
	must(t, err)
	if pulled.Connection.Tokens.AccessToken != "robot-1" || asked.Load() != 1 {
		t.Errorf("the process gets generation %d after %d requests", pulled.Connection.Generation, asked.Load())
	}
	if by, reason := pulled.Connection.PersonBy(); !by.IsZero() || reason != "" {
		t.Errorf("a person is expected by %s: %s", by, reason)
	}
}

// A hub that was killed anywhere in it leaves no doubt: what was sent is sent again at once,
// and a reply that was read is used.
func TestALostReplyToAReissueIsRepeated(t *testing.T) {
	for name, sending := range map[string]bool{"killed before the request was written": false, "killed with the request out": true} {
		t.Run(name, func(t *testing.T) {
			r, asked := robotRig(t)
			r.start(t, nil)
			now := time.Now().Add(time.Millisecond)
			won, err := r.store.Renewals.TakeLease(t.Context(), r.c.ID, r.source.Owner(), time.Minute)
			if err != nil || !won {
				t.Fatal(won, err)
			}
			i := renewaldb.Intent{
				ID: store.NewID(), ConnectionID: r.c.ID, Generation: 1, Owner: r.source.Owner(), StartedAt: now,
				SendBy: now.Add(30 * time.Second), Deadline: now.Add(5 * time.Minute),
			}
			must(t, r.store.Renewals.BeginIntent(t.Context(), i))
			must(t, r.journal.Begin(i.ID, []byte(`{"connection_id":"`+r.c.ID+`","generation":1}`)))
			if sending {
				must(t, r.journal.Sending(i.ID))
			}
			must(t, r.journal.Close()) // as far as a kill leaves it

			r.start(t, nil)
			must(t, r.source.Recover(t.Context()))
			c, err := r.source.RenewNow(t.Context(), r.c.ID, 1)
			must(t, err)
			if c.Generation != 2 || c.Failure != nil || asked.Load() != 1 {
				t.Errorf("it is at generation %d, phase %s, after %d requests", c.Generation, c.Phase(), asked.Load())
			}
		})
	}
}

// Nothing older can be behind the service where the hub obtains anew: no restore holds it.
func TestWhatIsObtainedAnewDoesNotRotate(t *testing.T) {
	r, _ := robotRig(t)
	if r.c.Policy.Rotates() || !r.c.Policy.RepeatSafe() || r.c.Policy.AutoRenew != provider.AutoRenewReissue {
		t.Errorf("the policy is %+v", r.c.Policy)
	}
}
