package tokensource_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
)

// What a killed hub left is taken up by what is known of it: at once if nothing was
// sent, and not before the service cannot be answering any more otherwise.
func TestWhatAKilledHubLeftIsTakenUp(t *testing.T) {
	for name, tt := range map[string]struct {
		sending bool
		asked   bool
	}{
		"killed before the request was written": {false, true},
		"killed with the request out":           {true, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, -time.Minute)
			r.start(t, nil)
			// Rows have milliseconds: one that begins in that of the folder's first use is not
			// certainly younger than it, and would wait.
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
			if tt.sending {
				must(t, r.journal.Sending(i.ID))
			}
			must(t, r.journal.Close()) // as far as a kill leaves it

			r.start(t, nil)
			r.let <- struct{}{}
			must(t, r.source.Recover(t.Context()))
			c, err := r.source.RenewNow(t.Context(), r.c.ID, 1)
			must(t, err)
			if asked := len(r.arrived) > 0; asked != tt.asked {
				t.Errorf("the service was asked: %t", asked)
			}
			if tt.asked && c.Generation != 2 {
				t.Errorf("it is at generation %d, %+v", c.Generation, c.Failure)
			}
			if !tt.asked && (c.Phase() != connection.PhaseUncertain || c.Due.Before(i.Deadline.Add(-time.Second))) {
				t.Errorf("it is %s, due in %s", c.Phase(), time.Until(c.Due))
			}
		})
	}
}
