package tokensource_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

// After a restore the row is older than what this hub's journal has replies to; another
// replica brings it forward later. The reply is then taken up, and nothing is sent.
func TestAJournaledReplyIsTakenUpOnceAnotherReplicaHasBroughtItsRowForward(t *testing.T) {
	for name, asks := range map[string]bool{"by itself": false, "when a renewal is asked for": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, -time.Minute)
			r.start(t, nil)
			server, _ := r.service.Options["server"].(string)
			reply := `{"request":"POST ` + server + `","status":200,"header":{"Content-Type":["application/json"]},"body":"eyJhY2Nlc3NfdG9rZW4iOiJhLTMiLCJyZWZyZXNoX3Rva2VuIjoici0zIiwiZXhwaXJlc19pbiI6MzYwMH0="}`
			must(t, r.journal.Begin("left", []byte(`{"connection_id":"`+r.c.ID+`","generation":2}`)))
			must(t, r.journal.Append("left", 0, []byte(reply)))
			must(t, r.source.Recover(t.Context()))
			if r.read(t).Generation != 1 {
				t.Fatal("a reply was taken up that is to another refresh token than the row's")
			}

			c := r.read(t)
			other := connection.Ahead{Lineage: c.Lineage, Generation: 2, Tokens: connection.TokenSet{AccessToken: "a-2", RefreshToken: "r-2"}, RenewedAt: time.Now()}
			must(t, r.store.Renewals.SaveRenewal(t.Context(), c.BroughtForward(time.Now(), other), 1, "", "another"))
			if asks {
				_, err := r.source.RenewNow(t.Context(), c.ID, 2)
				must(t, err)
			}
			waittest.Until(t, "it is renewed", func() bool { return r.read(t).Generation >= 3 })
			if got := r.read(t); got.Tokens.RefreshToken != "r-3" || len(r.arrived) > 0 {
				t.Errorf("it has generation %d, and %d requests were sent", got.Generation, len(r.arrived))
			}
		})
	}
}
