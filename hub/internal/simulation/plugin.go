package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// tokenEndpoint is the authority's address on the network in memory.
const tokenEndpoint = "http://authority.test/token"

// description is of a service that rotates refresh tokens and ends a grant whose spent
// one comes again.
var description = provider.Description{
	Name: "simulated", Title: provider.Text{EN: "Simulated"}, AutoRenew: provider.AutoRenewRefreshToken, PKCE: provider.PKCENone,
	Rotation: provider.Rotation{Kind: provider.RotationRotates}, API: provider.API{In: "header"},
	Hosts: []provider.Host{{Pattern: "http://authority.test"}},
}

// simulated is the plugin's provider.
type simulated struct{ fate Fate }

// Describe implements provider.Provider.
func (simulated) Describe(context.Context) (*provider.Description, error) { return &description, nil }

// Refresh implements provider.Refresher. Now and then the plugin stands still when it has
// the reply.
func (s simulated) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	token := req.Current.RefreshToken
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	out, err := http.NewRequestWithContext(ctx, http.MethodPost, tokenEndpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	out.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := req.HTTP.Do(out)
	if err != nil {
		return nil, provider.Errorf(provider.Transient, "", "no answer")
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, provider.Errorf(provider.Transient, "", "no whole answer")
	}
	if s.fate.happens(0.03, "plugin stands still", token) {
		select {
		case <-time.After(s.fate.between(time.Second, 20*time.Second, "for", token)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	var reply struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		ExpiresIn    int    `json:"expires_in"`
		Error        string `json:"error"`
	}
	switch _ = json.Unmarshal(data, &reply); {
	case reply.Error == "invalid_grant":
		return nil, provider.Errorf(provider.ReauthorizationRequired, "invalid_grant", "the grant is over")
	case resp.StatusCode != http.StatusOK:
		return nil, provider.Errorf(provider.Transient, "", "status %d", resp.StatusCode)
	}
	return &provider.Token{AccessToken: reply.AccessToken, RefreshToken: reply.RefreshToken, ExpiresIn: new(time.Duration(reply.ExpiresIn) * time.Second)}, nil
}

// plugins runs operations on the one plugin, whose process dies now and then.
type plugins struct {
	world   *World
	replica string
	runs    atomic.Int64
}

var errDied = errors.New("the plugin's process died")

// Run implements operation.Plugins.
func (p *plugins) Run(ctx context.Context, _ string, do func(context.Context, *providerplugin.Client) error) error {
	n := fmt.Sprint(p.runs.Add(1))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if p.world.fate.happens(0.02, "plugin dies", p.replica, n) {
		after := p.world.fate.between(0, 2*time.Second, "after", p.replica, n)
		timer := time.AfterFunc(after, func() { cancel(errDied) })
		defer timer.Stop()
	}
	err := do(ctx, p.world.client)
	if err != nil && errors.Is(context.Cause(ctx), errDied) {
		return &providerplugin.PluginError{Gone: true, Message: errDied.Error()}
	}
	return err
}

// Description implements operation.Plugins: the service brings its own.
func (*plugins) Description(string) (d provider.Description, sum string, ok bool) {
	return d, "", false
}
