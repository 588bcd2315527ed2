package tokensource_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/waittest"
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

// renewed renews so often and returns the connection, once its newest token set is kept: the
// journal forgets a reply then.
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
	waittest.Until(t, "the journal has nothing pending", func() bool { return len(r.journal.Pending()) == 0 })
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
			must(t, r.store.Grants.UpdateConnection(t.Context(), before, after)) // as a restore does
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

// A new authorization begins a lineage of its own: what was known of the old one is of no
// use to it.
func TestAnotherLineageIsLeftAlone(t *testing.T) {
	r := newRig(t, time.Minute)
	r.startKept(t, t.TempDir())
	after := r.renewed(t, 3)
	now := time.Now()
	again := connection.New(now, r.c.ID, "sales", "sales", r.service.ID, after.Policy).Granted(now, now, after.Tokens.Token(now), after.Account, nil)
	again.Tokens.RefreshToken = "another-r"
	must(t, r.store.Grants.UpdateConnection(t.Context(), again, after))
	r.let <- struct{}{}
	c, err := r.source.RenewNow(t.Context(), r.c.ID, again.Generation)
	must(t, err)
	if token := <-r.arrived; token != "another-r" || c.Tokens.RefreshToken != "another-r+" {
		t.Errorf("%q was sent, and the connection has %q", token, c.Tokens.RefreshToken)
	}
}

// comparing is a rig with the file of newest token sets whose database went back behind
// some renewals.
func comparing(t *testing.T, renewals int) (r *rig, after connection.Connection) {
	t.Helper()
	r = newRig(t, time.Minute)
	r.startKept(t, t.TempDir())
	before := r.read(t)
	after = r.renewed(t, renewals)
	must(t, r.store.Grants.UpdateConnection(t.Context(), before, after))
	return r, after
}

func TestATokenSetThatTheDatabaseHadConfirmedTellsThatItWentBack(t *testing.T) {
	r, after := comparing(t, 1)
	found, err := r.source.Compare(t.Context())
	must(t, err)
	if found.Forwarded != 1 || !found.Lost || r.read(t).Generation != after.Generation {
		t.Errorf("%+v, generation %d", found, r.read(t).Generation)
	}
	if found, err = r.source.Compare(t.Context()); err != nil || found.Forwarded != 0 || found.Lost || len(found.Later) > 0 {
		t.Errorf("a second look finds %+v, %v", found, err)
	}
}

// As when a hub dies between its own copy and the save: the reply is still pending.
func TestASaveThatDidNotArriveIsNoRestore(t *testing.T) {
	r, after := comparing(t, 1)
	meta, err := json.Marshal(map[string]any{"connection_id": r.c.ID, "generation": after.Generation - 1})
	must(t, err)
	id := store.NewID()
	must(t, r.journal.Begin(id, meta))
	must(t, r.journal.Append(id, 0, []byte("reply")))
	if found, err := r.source.Compare(t.Context()); err != nil || found.Forwarded != 1 || found.Lost {
		t.Errorf("%+v, %v", found, err)
	}
}

// Two replicas compare at one time, and the one that knows less is faster: the token set of
// the other one still has to get there, or a spent refresh token would go out.
func TestTheNewerOfTwoTokenSetsGetsThereInTheEnd(t *testing.T) {
	r := newRig(t, time.Minute)
	r.start(t, nil)
	read := r.read(t)
	known := func(generation int64, refresh string) connection.Ahead {
		return connection.Ahead{Lineage: read.Lineage, Generation: generation, Tokens: connection.TokenSet{AccessToken: "a", RefreshToken: refresh}, RenewedAt: time.Now()}
	}
	must(t, r.store.Renewals.SaveRenewal(t.Context(), read.BroughtForward(time.Now(), known(3, "r-3")), read.Generation, "", "another"))
	for _, mine := range []connection.Ahead{known(5, "r-5"), known(4, "r-4")} { // the second one is older than what is there
		if _, err := r.source.BringForward(t.Context(), read, mine); err != nil {
			t.Fatal(err)
		}
		if c := r.read(t); c.Generation != 5 || c.Tokens.RefreshToken != "r-5" {
			t.Errorf("after generation %d it is at %d", mine.Generation, c.Generation)
		}
	}
}

// A claim waits in the scheduler while its connection is renewed: what it read is old, and
// the database is not behind.
func TestAnOldClaimTellsOfNoRestore(t *testing.T) {
	r := newRig(t, -time.Minute)
	k, err := newest.Open(t.TempDir(), r.box, nil)
	must(t, err)
	t.Cleanup(func() { _ = k.Close() })
	told := 0
	r.start(t, func(o *tokensource.Options, _ *operation.Options) {
		o.Newest, o.WentBack = k, func(time.Time) { told++ }
	})
	claimed := r.read(t)
	after := r.renewed(t, 1)
	c, err := r.source.RenewClaimed(t.Context(), claimed)
	must(t, err)
	if told != 0 || c.Generation != after.Generation || len(r.arrived) > 0 {
		t.Errorf("a restore was told of %d times; generation %d of %d; the service was asked %d times", told, c.Generation, after.Generation, len(r.arrived))
	}
}

func TestWhoComesToAGrantThatIsBehindSaysSo(t *testing.T) {
	r := newRig(t, time.Minute)
	k, err := newest.Open(t.TempDir(), r.box, nil)
	must(t, err)
	t.Cleanup(func() { _ = k.Close() })
	told := 0
	r.start(t, func(o *tokensource.Options, _ *operation.Options) {
		o.Newest, o.WentBack = k, func(time.Time) { told++ }
	})
	before := r.read(t)
	after := r.renewed(t, 2)
	if told != 0 {
		t.Fatal("it is said before anything happened")
	}
	must(t, r.store.Grants.UpdateConnection(t.Context(), before, after))
	c, err := r.source.RenewNow(t.Context(), r.c.ID, before.Generation)
	must(t, err)
	if told != 1 || c.Generation != after.Generation || len(r.arrived) > 0 {
		t.Errorf("told %d times, generation %d", told, c.Generation)
	}
}

// Once the hub holds renewals for a restore, the comparison brings rows forward: one that is
// forward already when what may be behind is listed would be taken for a candidate.
func TestWhoFindsThatTheDatabaseWentBackLeavesTheRowToTheComparison(t *testing.T) {
	r := newRig(t, time.Minute)
	k, err := newest.Open(t.TempDir(), r.box, nil)
	must(t, err)
	t.Cleanup(func() { _ = k.Close() })
	var held connection.CauseKind
	r.start(t, func(o *tokensource.Options, _ *operation.Options) {
		o.Newest, o.WentBack = k, func(time.Time) { held = connection.CauseRestored }
		o.Held = func(connection.Connection) connection.CauseKind { return held }
	})
	before := r.read(t)
	after := r.renewed(t, 2)
	must(t, r.store.Grants.UpdateConnection(t.Context(), before, after))
	_, err = r.source.RenewNow(t.Context(), r.c.ID, before.Generation)
	must(t, err)
	if c := r.read(t); c.Generation != before.Generation || connection.ParseCause(c.Cause).Kind != connection.CauseRestored || len(r.arrived) > 0 {
		t.Errorf("it is at generation %d, cause %q", c.Generation, c.Cause)
	}
	if found, err := r.source.Compare(t.Context()); err != nil || found.Forwarded != 1 || r.read(t).Generation != after.Generation {
		t.Errorf("the comparison: %+v, %v, generation %d", found, err, r.read(t).Generation)
	}
}

// What was authorized after the restore is another lineage: an older one, however far it
// had got, is not put over it, and not taken for a later one.
func TestAnAuthorizationAfterTheRestoreStands(t *testing.T) {
	r, after := comparing(t, 3)
	now := time.Now()
	again := r.c.Granted(now, now, after.Tokens.Token(now), after.Account, nil)
	again.Tokens.RefreshToken = "authorized-again"
	present, err := r.store.Grants.Connection(t.Context(), r.c.ID)
	must(t, err)
	must(t, r.store.Grants.UpdateConnection(t.Context(), again, present))
	found, err := r.source.Compare(t.Context())
	must(t, err)
	if c := r.read(t); found.Forwarded != 0 || len(found.Later) > 0 || c.Tokens.RefreshToken != "authorized-again" || again.Generation >= after.Generation {
		t.Errorf("%+v, generation %d after %d", found, c.Generation, after.Generation)
	}
	r.let <- struct{}{}
	if c, err := r.source.RenewNow(t.Context(), r.c.ID, again.Generation); err != nil || <-r.arrived != "authorized-again" || c.Generation != again.Generation+1 {
		t.Errorf("generation %d, %v", c.Generation, err)
	}
}

// The backup has the authorization before; which tokens of it live nobody knows.
func TestALaterAuthorizationThanTheBackupsIsTold(t *testing.T) {
	r := newRig(t, time.Minute)
	r.startKept(t, t.TempDir())
	before := r.renewed(t, 1)
	now := time.Now()
	later := before.Granted(now, now, before.Tokens.Token(now), before.Account, nil)
	must(t, r.store.Grants.UpdateConnection(t.Context(), later, before))
	r.source.Remember(later)
	must(t, r.store.Grants.UpdateConnection(t.Context(), before, later))
	found, err := r.source.Compare(t.Context())
	must(t, err)
	if len(found.Later) != 1 || found.Later[0] != r.c.ID || found.Forwarded != 0 {
		t.Errorf("%+v", found)
	}
}

func TestAGrantIsGivenUpOnlyAsItWasDecidedAbout(t *testing.T) {
	r := newRig(t, time.Hour)
	r.start(t, nil)
	if err := r.source.GiveUp(t.Context(), r.c.ID, grantdb.Generation{Generation: r.c.Generation + 1, Lineage: r.c.Lineage}); !errors.Is(err, tokensource.ErrNewer) {
		t.Errorf("another generation is given up: %v", err)
	}
	must(t, r.source.GiveUp(t.Context(), r.c.ID, grantdb.Generation{Generation: r.c.Generation, Lineage: r.c.Lineage}))
	c := r.read(t)
	if c.State != connection.StateEnded || c.Failure.Code != tokensource.CodeBehind || len(r.arrived) > 0 {
		t.Errorf("%s %+v", c.State, c.Failure)
	}
	if pulled, err := r.source.Token(t.Context(), c.Name, 0, time.Second); err != nil || pulled.Connection.Generation != c.Generation {
		t.Errorf("its token is not served: %v", err)
	}
}
