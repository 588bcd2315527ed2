package tokensource_test

import (
	"context"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
)

// pullOf is a pull as the API makes it: by the version that one statement has read.
func (r *rig) pullOf(ctx context.Context, wait time.Duration) (*tokensource.Pulled, error) {
	c, err := r.store.Grants.Connection(ctx, r.c.ID)
	if err != nil {
		return nil, err
	}
	v := tokensource.Version{Generation: c.Generation, UpdatedAt: c.UpdatedAt}
	if intent, err := r.store.Renewals.OpenIntent(ctx, r.c.ID); err == nil {
		v.BegunAt = intent.BegunAt
	}
	return r.source.ServeVersion(ctx, r.c.ID, v, 0, wait)
}

// A service that ends the access token when it gives the next one has done so before its
// answer is saved. A token that is pulled in between would be dead on arrival.
func TestATokenThatTheRenewalUnderWayEndsIsNotHandedOut(t *testing.T) {
	for _, c := range []struct {
		kind provider.RotationKind
		want string
	}{
		{provider.RotationRotatesRevokesAccess, "sales-r-a"},
		{provider.RotationRotates, "sales-a0"}, // its access token stays good
	} {
		for how, pull := range map[string]func(*rig) (*tokensource.Pulled, error){
			"by version": func(r *rig) (*tokensource.Pulled, error) { return r.pullOf(t.Context(), 10*time.Second) },
			"by name": func(r *rig) (*tokensource.Pulled, error) {
				return r.source.Token(t.Context(), "sales", 0, 10*time.Second)
			},
		} {
			t.Run(string(c.kind)+" "+how, func(t *testing.T) {
				r := newRigOf(t, time.Hour, provider.Rotation{Kind: c.kind})
				r.start(t, nil)
				renewed := make(chan error, 1)
				go func() {
					_, err := r.source.RenewNow(t.Context(), r.c.ID, r.c.Generation)
					renewed <- err
				}()
				<-r.arrived // the service has ended the token, its answer is on the way
				type got struct {
					pulled *tokensource.Pulled
					err    error
				}
				pulled := make(chan got, 1)
				go func() {
					p, err := pull(r)
					pulled <- got{p, err}
				}()
				if c.kind == provider.RotationRotates {
					p := <-pulled // at once
					must(t, p.err)
					pulled <- p
				}
				r.let <- struct{}{}
				p := <-pulled
				must(t, p.err)
				must(t, <-renewed)
				if served := p.pulled.Connection.Tokens.AccessToken; served != c.want {
					t.Errorf("served %q, want %q", served, c.want)
				}
			})
		}
	}
}

// A renewal that is saved after a pull has read the row, and before it looks for one under
// way, has ended the token in that row.
func TestATokenThatWasRenewedSinceItWasReadIsNotHandedOut(t *testing.T) {
	r := newRigOf(t, time.Hour, provider.Rotation{Kind: provider.RotationRotatesRevokesAccess})
	r.start(t, nil)
	read, err := r.store.Grants.Connection(t.Context(), r.c.ID)
	must(t, err)
	r.let <- struct{}{}
	_, err = r.source.RenewNow(t.Context(), r.c.ID, r.c.Generation)
	must(t, err)
	p, err := r.source.Serve(t.Context(), read, 0, time.Second)
	must(t, err)
	if served := p.Connection.Tokens.AccessToken; served != "sales-r-a" {
		t.Errorf("served %q, which has ended", served)
	}
}

// A service that does not answer holds up nobody for long, whoever asks it: a hub that
// was killed with its request out leaves such an intent as well.
func TestAPullWaitsForARenewalUnderWayOnlyForAWhile(t *testing.T) {
	r := newRigOf(t, time.Hour, provider.Rotation{Kind: provider.RotationRotatesRevokesAccess})
	r.start(t, nil)
	go func() { _, _ = r.source.RenewNow(t.Context(), r.c.ID, r.c.Generation) }()
	<-r.arrived
	p, err := r.pullOf(t.Context(), 20*time.Millisecond)
	must(t, err)
	if p.Connection.Tokens.AccessToken != "sales-a0" {
		t.Errorf("who waits for a moment only is served %q", p.Connection.Tokens.AccessToken)
	}
	c := r.read(t)
	long := tokensource.Version{Generation: c.Generation, UpdatedAt: c.UpdatedAt, BegunAt: time.Now().Add(-time.Minute)}
	never, cancel := context.WithCancel(t.Context())
	cancel() // whoever waits now fails
	if _, err := r.source.ServeVersion(never, r.c.ID, long, 0, time.Minute); err != nil {
		t.Errorf("a renewal that began a minute ago is waited for: %v", err)
	}
	r.let <- struct{}{}
	if c, err = r.source.Renew(t.Context(), r.c.ID, c.Generation); err != nil || c.State != connection.StateActive {
		t.Errorf("%s, %v", c.State, err)
	}
}
