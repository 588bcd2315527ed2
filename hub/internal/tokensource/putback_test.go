package tokensource_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// A database that was restored has forgotten that a request is out. Its refresh token, which
// another replica may bring, must not be sent while the service may be working on it.
func TestARequestThatTheDatabaseForgotIsWaitedFor(t *testing.T) {
	for name, tt := range map[string]struct {
		ago    time.Duration // since it began
		behind bool          // the row is older than what was sent
		waits  bool
	}{
		"of the row's generation": {time.Minute, false, true},
		"of a later generation":   {time.Minute, true, true},
		"nobody answers any more": {10 * time.Minute, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, -time.Minute)
			r.start(t, nil)
			sent := int64(1)
			if tt.behind {
				sent = 2
			}
			at := time.Now().Add(-tt.ago)
			meta, err := json.Marshal(map[string]any{
				"connection_id": r.c.ID, "generation": sent, "started_at": at, "begun_at": at, "send_by": at.Add(30 * time.Second), "deadline": at.Add(330 * time.Second),
			})
			must(t, err)
			must(t, r.journal.Begin("left", meta))
			must(t, r.journal.Sending("left"))
			must(t, r.journal.Close())

			r.start(t, nil)
			r.let <- struct{}{}
			must(t, r.source.Recover(t.Context()))
			if tt.behind { // another replica has what lies between
				c := r.read(t)
				other := connection.Ahead{Lineage: c.Lineage, Generation: 2, Tokens: connection.TokenSet{AccessToken: "a-2", RefreshToken: "r-2"}, RenewedAt: time.Now()}
				must(t, r.store.Renewals.SaveRenewal(t.Context(), c.BroughtForward(time.Now(), other), 1, "", "another"))
			}
			c, err := r.source.RenewNow(t.Context(), r.c.ID, sent)
			must(t, err)
			if waited := len(r.arrived) == 0; waited != tt.waits {
				t.Errorf("it was waited for: %t", waited)
			}
			if tt.waits && (c.Phase() != connection.PhaseUncertain || c.Due.Before(at.Add(329*time.Second))) {
				t.Errorf("it is %s, due in %s", c.Phase(), time.Until(c.Due))
			}
			if open, err := r.store.Renewals.OpenIntent(t.Context(), r.c.ID); tt.waits && (err != nil || open.Owner != r.source.Owner() || open.Generation != sent) {
				t.Errorf("the open intent is %+v, %v", open, err)
			}
		})
	}
}

// The database goes back while a request is out that nobody has killed.
func TestARequestUnderWayIsPutBackBeforeItsReplicaHasCompared(t *testing.T) {
	r := newRig(t, -time.Minute)
	r.startKept(t, t.TempDir())
	done := make(chan error, 1)
	go func() {
		_, err := r.source.RenewNow(t.Context(), r.c.ID, 1)
		done <- err
	}()
	<-r.arrived
	open, err := r.store.Renewals.OpenIntent(t.Context(), r.c.ID)
	must(t, err)
	must(t, r.store.Renewals.DropIntent(t.Context(), open.ID)) // as the backup has it
	_, err = r.source.Compare(t.Context())
	must(t, err)
	again, err := r.store.Renewals.OpenIntent(t.Context(), r.c.ID)
	if err != nil || again.ID != open.ID || again.Deadline.Sub(open.Deadline).Abs() > time.Second {
		t.Errorf("the open intent is %+v, %v; it was %+v", again, err, open)
	}
	r.let <- struct{}{}
	must(t, <-done)
	if c := r.read(t); c.Generation != 2 {
		t.Errorf("it is at generation %d", c.Generation)
	}
	if _, err := r.store.Renewals.OpenIntent(t.Context(), r.c.ID); err == nil {
		t.Error("the intent is still open after the save")
	}
}

// What could not be taken up is not forgotten: the next look tries it again.
func TestAnEarlyReplyThatCannotBeTakenUpStaysKnown(t *testing.T) {
	r := newRig(t, -time.Minute)
	r.start(t, nil)
	must(t, r.journal.Begin("left", []byte(`{"connection_id":"`+r.c.ID+`","generation":2}`)))
	must(t, r.journal.Append("left", 0, []byte(`{"request":"POST http://elsewhere.invalid","status":200,"body":"e30="}`)))
	must(t, r.source.Recover(t.Context()))
	c := r.read(t)
	other := connection.Ahead{Lineage: c.Lineage, Generation: 2, Tokens: connection.TokenSet{AccessToken: "a-2", RefreshToken: "r-2"}, RenewedAt: time.Now()}
	must(t, r.store.Renewals.SaveRenewal(t.Context(), c.BroughtForward(time.Now(), other), 1, "", "another"))
	for range 2 {
		_, _ = r.source.RenewNow(t.Context(), c.ID, 2)
		if len(r.arrived) > 0 {
			t.Fatal("a refresh token was sent whose reply is known")
		}
	}
	if _, ok := r.journal.Operation("left"); !ok {
		t.Error("the journal has forgotten the reply")
	}
}
