package tokensource_test

import (
	"sync"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
)

// addPart makes the granted connection of a part of the rig's own, whose token is over soon.
func (r *rig) addPart(t *testing.T, name string) connection.Connection {
	t.Helper()
	now := time.Now()
	token := provider.Token{AccessToken: name + "-a0", RefreshToken: name + "-r", ExpiresIn: new(time.Hour + time.Second)}
	c := r.c.NewPart(now, store.NewID(), r.c.Name+"-"+name, provider.Part{Name: name}, "en").Granted(now, now.Add(-time.Hour), token, provider.Account{}, nil)
	must(t, r.store.Grants.CreateConnection(t.Context(), c))
	return c
}

// The parts of an authorization are renewed at the same time, each by its own refresh token
// under its own name, and none writes the set of another.
func TestPartsRenewAtTheSameTimeAndEachKeepsItsSet(t *testing.T) {
	t.Parallel()
	r := newRig(t, time.Second)
	all := []connection.Connection{r.c, r.addPart(t, "user"), r.addPart(t, "guest")}
	r.start(t, nil)
	var asking sync.WaitGroup
	for _, c := range all {
		asking.Go(func() {
			if _, err := r.source.Serve(t.Context(), c, time.Minute, tokensource.UsualWait); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
		})
	}
	for range all { // all are under way before one is answered
		<-r.arrived
	}
	for range all {
		r.let <- struct{}{}
	}
	asking.Wait()
	for _, before := range all {
		c, err := r.store.Grants.Connection(t.Context(), before.ID)
		must(t, err)
		sent := before.Tokens.RefreshToken
		if c.Generation != 2 || c.Lineage != before.Lineage || c.Tokens.AccessToken != sent+"-a" || c.Tokens.RefreshToken != sent+"+" {
			t.Errorf("%s has generation %d with %s", c.Name, c.Generation, c.Tokens.RefreshToken)
		}
		if part, _ := r.asked.Load(sent); part != before.Part {
			t.Errorf("%s was renewed as the part %q", c.Name, part)
		}
	}
}

// A renewal brings one set: it is kept, and a part that comes with it is not.
func TestARenewalThatBringsPartsKeepsItsOwnSet(t *testing.T) {
	t.Parallel()
	r := newRig(t, time.Second)
	user := r.addPart(t, "user")
	r.brings = "user"
	r.start(t, nil)
	r.let <- struct{}{}
	_, err := r.source.Serve(t.Context(), r.c, time.Minute, tokensource.UsualWait)
	must(t, err)
	<-r.arrived
	if main := r.read(t); main.Generation != 2 || main.Tokens.RefreshToken != "sales-r+" {
		t.Errorf("the main one is of generation %d with %s", main.Generation, main.Tokens.RefreshToken)
	}
	if after, err := r.store.Grants.Connection(t.Context(), user.ID); err != nil || after.Generation != 1 || after.Tokens.AccessToken != "user-a0" {
		t.Errorf("the part is of generation %d with %s, %v", after.Generation, after.Tokens.AccessToken, err)
	}
}
