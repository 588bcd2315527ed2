package tokensource_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
)

// withSecrets gives the rig's service two client secrets.
func (r *rig) withSecrets(t *testing.T, currentEnds, otherEnds time.Time) {
	t.Helper()
	was := r.service.UpdatedAt
	r.service.ClientSecret, r.service.SecretEndsAt = "first-secret", currentEnds
	r.service.OtherSecret = service.Secret{Value: "second-secret", EndsAt: otherEnds}
	r.service.UpdatedAt = was.Add(time.Second)
	must(t, r.store.Services.ReplaceService(t.Context(), r.service, was))
}

// sent are the client secrets that the service got so far.
func (r *rig) sent() string {
	var got []string
	for len(r.secrets) > 0 {
		got = append(got, <-r.secrets)
	}
	return strings.Join(got, " ")
}

func TestTheOtherSecretIsTriedOnceInARenewal(t *testing.T) {
	past, later := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for name, tt := range map[string]struct {
		currentEnds, otherEnds time.Time
		refused                []string
		uncertain              bool // an earlier request has no known outcome
		sent                   string
		renewed                bool
		made                   string // the secret that is made current
	}{
		"the first one is good":          {later, later, nil, false, "first-secret", true, ""},
		"the first one is refused":       {later, later, []string{"first-secret"}, false, "first-secret second-secret", true, "second-secret"},
		"the first one has ended":        {past, later, []string{"first-secret"}, false, "second-secret", true, ""},
		"both are refused":               {later, later, []string{"first-secret", "second-secret"}, false, "first-secret second-secret", false, ""},
		"the other one has ended":        {later, past, []string{"first-secret"}, false, "first-secret", false, ""},
		"an earlier answer is uncertain": {later, later, []string{"first-secret"}, true, "first-secret", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, time.Minute)
			r.withSecrets(t, tt.currentEnds, tt.otherEnds)
			for _, secret := range tt.refused {
				r.refused.Store(secret, true)
			}
			made := make(chan string, 5)
			var attempts []tokensource.Attempt
			r.start(t, func(o *tokensource.Options, _ *operation.Options) {
				o.SecretWorks = func(_ context.Context, svc service.Service) error { made <- svc.ClientSecret; return nil }
				o.Attempted = func(a tokensource.Attempt) { attempts = append(attempts, a) }
			})
			if tt.uncertain { // the hub was killed in the middle of a renewal, long ago
				r.leave(t, "old", time.Now().Add(-time.Hour))
			}
			r.let <- struct{}{}
			r.let <- struct{}{}
			c, err := r.source.RenewNow(t.Context(), r.c.ID, r.c.Generation)
			must(t, err)
			if got := r.sent(); got != tt.sent {
				t.Errorf("sent with %q, want %q", got, tt.sent)
			}
			if renewed := c.Generation == r.c.Generation+1; renewed != tt.renewed || len(attempts) != 1 {
				t.Errorf("renewed: %t, %d attempts; %+v", renewed, len(attempts), c.Failure)
			}
			if !tt.renewed && (c.Phase() != connection.PhaseBlocked || c.Tokens.RefreshToken != "sales-r" || c.Cause != "client|"+r.service.ID) {
				t.Errorf("it is %s with cause %q", c.Phase(), c.Cause)
			}
			if len(tt.refused) == 2 && !strings.HasPrefix(c.Failure.Message, "both client secrets were refused") {
				t.Errorf("people are told %q", c.Failure.Message)
			}
			if tt.made != "" && <-made != tt.made || len(made) > 0 {
				t.Error("another secret was made current")
			}
			if _, err := r.store.Renewals.OpenIntent(t.Context(), r.c.ID); err == nil {
				t.Error("an intent is left open")
			}
			if ops := r.journal.Pending(); len(ops) > 0 {
				t.Errorf("the journal has %d operations left", len(ops))
			}
		})
	}
}

// leave leaves an intent of this hub open whose request was sent.
func (r *rig) leave(t *testing.T, id string, at time.Time) {
	t.Helper()
	won, err := r.store.Renewals.TakeLease(t.Context(), r.c.ID, r.source.Owner(), time.Minute)
	if err != nil || !won {
		t.Fatal(won, err)
	}
	i := renewaldb.Intent{
		ID: id, ConnectionID: r.c.ID, Generation: r.c.Generation, Owner: r.source.Owner(), StartedAt: at, SendBy: at.Add(time.Second), Deadline: at.Add(time.Minute),
	}
	_, err = r.store.Renewals.PutBackIntent(t.Context(), withBegun(i))
	must(t, err)
	must(t, r.journal.Begin(id, r.metaOf(t, i)))
	must(t, r.journal.Sending(id))
	must(t, r.store.Renewals.FreeLeases(t.Context(), r.source.Owner(), r.c.ID))
}

func withBegun(i renewaldb.Intent) renewaldb.Intent { i.BegunAt = i.StartedAt; return i }

func (r *rig) metaOf(t *testing.T, i renewaldb.Intent) []byte {
	t.Helper()
	meta, err := json.Marshal(map[string]any{
		"connection_id": i.ConnectionID, "generation": i.Generation, "started_at": i.StartedAt, "begun_at": i.StartedAt, "send_by": i.SendBy, "deadline": i.Deadline,
	})
	must(t, err)
	return meta
}

// A hub that dies between the two requests, or in the second one, loses nothing: the next
// run has the refusal, nothing, or an intent of the second request.
func TestACrashBetweenTwoSecretsLosesNothing(t *testing.T) {
	refusal := func(r *rig, status int, body string) []byte {
		reply, _ := json.Marshal(map[string]any{"request": "POST " + r.service.Options["server"].(string), "status": status, "body": []byte(body)})
		return reply
	}
	for name, tt := range map[string]struct {
		left func(t *testing.T, r *rig)
		// sent are the secrets that the next run sends until the grant is renewed; "" is none.
		sent string
	}{
		"the refusal is journaled, its intent is open": {func(t *testing.T, r *rig) {
			r.leave(t, "first", time.Now())
			must(t, r.journal.Append("first", 0, refusal(r, http.StatusUnauthorized, "")))
		}, "first-secret second-secret"},
		"the intent is gone, the journal does not know": {func(t *testing.T, r *rig) {
			r.leave(t, "first", time.Now())
			must(t, r.journal.Append("first", 0, refusal(r, http.StatusUnauthorized, "")))
			must(t, r.store.Renewals.DropIntent(t.Context(), "first"))
		}, "first-secret second-secret"},
		"nothing is in flight": {func(*testing.T, *rig) {}, "first-secret second-secret"},
		"the second request is answered": {func(t *testing.T, r *rig) {
			r.leave(t, "second", time.Now())
			must(t, r.journal.Append("second", 0, refusal(r, http.StatusOK, `{"access_token":"second-a","refresh_token":"second-r"}`)))
		}, ""},
		"the second request is answered, and the first one is in the journal": {func(t *testing.T, r *rig) {
			r.leave(t, "first", time.Now())
			must(t, r.journal.Append("first", 0, refusal(r, http.StatusUnauthorized, "")))
			must(t, r.store.Renewals.DropIntent(t.Context(), "first"))
			r.leave(t, "second", time.Now())
			must(t, r.journal.Append("second", 0, refusal(r, http.StatusOK, `{"access_token":"second-a","refresh_token":"second-r"}`)))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, time.Minute)
			r.withSecrets(t, time.Time{}, time.Time{})
			r.refused.Store("first-secret", true)
			r.start(t, nil)
			tt.left(t, r)
			must(t, r.journal.Close())

			r.start(t, nil)
			r.let <- struct{}{}
			r.let <- struct{}{}
			must(t, r.source.Recover(t.Context()))
			c, err := r.source.RenewNow(t.Context(), r.c.ID, r.c.Generation)
			must(t, err)
			if c.Generation != r.c.Generation+1 || c.Trouble() != nil {
				t.Errorf("it is at generation %d: %+v", c.Generation, c.Failure)
			}
			want := "sales-r+"
			if tt.sent == "" {
				want = "second-r"
			}
			if got := r.sent(); got != tt.sent || c.Tokens.RefreshToken != want {
				t.Errorf("sent with %q, want %q; the refresh token is %q", got, tt.sent, c.Tokens.RefreshToken)
			}
			if _, err := r.store.Renewals.OpenIntent(t.Context(), r.c.ID); err == nil {
				t.Error("an intent is left open")
			}
		})
	}
}

// The second request has an intent and a journal entry of its own, and keeps the lease.
func TestTheSecondRequestIsFencedAsAnyOther(t *testing.T) {
	r := newRig(t, time.Minute)
	r.withSecrets(t, time.Time{}, time.Time{})
	r.refused.Store("first-secret", true)
	r.start(t, nil)
	done := make(chan error, 1)
	go func() {
		_, err := r.source.RenewNow(t.Context(), r.c.ID, r.c.Generation)
		done <- err
	}()
	<-r.arrived
	first, err := r.store.Renewals.OpenIntent(t.Context(), r.c.ID)
	must(t, err)
	r.let <- struct{}{}
	<-r.arrived
	second, err := r.store.Renewals.OpenIntent(t.Context(), r.c.ID)
	if err != nil || second.ID == first.ID || second.Owner != r.source.Owner() {
		t.Fatalf("the second request has the intent %+v, the first had %+v: %v", second, first, err)
	}
	if op, ok := r.journal.Operation(second.ID); !ok || !op.Sending {
		t.Error("the journal does not know that the second request is out")
	}
	if err := r.store.Renewals.BeginIntent(t.Context(), renewaldb.Intent{ID: store.NewID(), ConnectionID: r.c.ID, Generation: r.c.Generation, Owner: r.source.Owner()}); err == nil {
		t.Error("another renewal could begin")
	}
	r.let <- struct{}{}
	must(t, <-done)
}
