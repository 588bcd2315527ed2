package tokensource_test

import (
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
)

// startKept is start with the file of newest token sets.
func (r *rig) startKept(t *testing.T, dir string) *newest.Keeper {
	t.Helper()
	k, err := newest.Open(dir, r.box, hclog.NewNullLogger())
	must(t, err)
	t.Cleanup(func() { _ = k.Close() })
	r.start(t, func(o *tokensource.Options, _ *operation.Options) { o.Newest = k })
	return k
}

// renewed renews so often and returns the connection.
func (r *rig) renewed(t *testing.T, times int) connection.Connection {
	t.Helper()
	c := r.read(t)
	for range times {
		r.let <- struct{}{}
		var err error
		c, err = r.source.RenewNow(t.Context(), r.c.ID, c.Generation)
		must(t, err)
		<-r.arrived
	}
	return c
}

// A database that went back holds a refresh token that is spent. The hub brings the
// connection forward to what it knows itself, and sends nothing.
func TestADatabaseThatWentBackIsBroughtForward(t *testing.T) {
	for name, act := range map[string]func(*testing.T, *rig, string){
		"when the hub starts": func(t *testing.T, r *rig, dir string) {
			r.startKept(t, dir)
			must(t, r.source.Recover(t.Context()))
		},
		"while the hub runs, before a refresh token is spent": func(t *testing.T, r *rig, _ string) {
			if _, err := r.source.RenewNow(t.Context(), r.c.ID, 1); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := newRig(t, time.Minute)
			k := r.startKept(t, dir)
			before := r.read(t)
			after := r.renewed(t, 3)
			must(t, r.store.UpdateConnection(t.Context(), before, after.Generation)) // as a restore does
			if name == "when the hub starts" {
				must(t, k.Close())
				must(t, r.journal.Close())
			}
			act(t, r, dir)
			got := r.read(t)
			if got.Generation != after.Generation || got.Tokens.RefreshToken != after.Tokens.RefreshToken || len(r.arrived) > 0 {
				t.Errorf("it is at generation %d of %d, and the service was asked %d times", got.Generation, after.Generation, len(r.arrived))
			}
			if c := r.renewed(t, 1); c.Generation != after.Generation+1 {
				t.Errorf("the next renewal leads to generation %d, %+v", c.Generation, c.Failure)
			}
		})
	}
}

// A new authorisation begins a lineage of its own: what was known of the old one is of no
// use to it.
func TestAnotherLineageIsLeftAlone(t *testing.T) {
	r := newRig(t, time.Minute)
	r.startKept(t, t.TempDir())
	after := r.renewed(t, 3)
	now := time.Now()
	again := connection.New(now, r.c.ID, "sales", "sales", r.service.ID, after.Policy).Granted(now, now, after.Tokens.Token(now), after.Account, nil)
	again.Tokens.RefreshToken = "another-r"
	must(t, r.store.UpdateConnection(t.Context(), again, after.Generation))
	r.let <- struct{}{}
	c, err := r.source.RenewNow(t.Context(), r.c.ID, again.Generation)
	must(t, err)
	if token := <-r.arrived; token != "another-r" || c.Tokens.RefreshToken != "another-r+" {
		t.Errorf("%q was sent, and the connection has %q", token, c.Tokens.RefreshToken)
	}
}
