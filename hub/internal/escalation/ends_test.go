package escalation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestEndsOfGrantsAreToldOnceForEachTerm(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		svc := addService(t, s, "shop")
		now := time.Now()
		day := 24 * time.Hour
		end := func(in time.Duration) connection.Connection { return addEnding(t, s, svc.ID, now, in) }
		for range 47 {
			end(13 * day)
		}
		soon := end(2 * day)
		end(40 * day)
		tell := func(at time.Time, begun, ended int) {
			t.Helper()
			b, e, err := planner(s).TellOfEnds(t.Context(), at)
			ok(t, err)
			if b != begun || e != ended {
				t.Errorf("after %v: %d begun, %d ended; want %d and %d", at.Sub(now).Round(time.Hour), b, e, begun, ended)
			}
		}
		tell(now, 2, 0) // 47 at 14 days are one, and the one at 3 days
		tell(now, 0, 0)
		tell(now.Add(25*time.Hour), 1, 1) // it has one day left, which goes on with what was told at three
		tell(now.Add(3*day), 1, 1)        // it has run out
		tell(now.Add(11*day), 1, 1)       // the 47 have three days left
		c, err := s.Grants.Connection(t.Context(), soon.ID)
		ok(t, err)
		c.Tokens.RefreshExpiresAt, c.Tokens.ExpiresAt = now.Add(90*day), now.Add(90*day)
		ok(t, s.Grants.UpdateConnection(t.Context(), c, c))
		tell(now.Add(11*day), 0, 1)
	})
}

// Static keys are told of 30 days before their end, since people may have to ask somebody
// else for a new one, and other grants 14.
func TestTheEndOfAStaticKeyIsToldEarlier(t *testing.T) {
	day := 24 * time.Hour
	for name, tt := range map[string]struct {
		grant provider.Grant
		life  time.Duration
		left  time.Duration
		want  []policy.Event
	}{
		"a key, 40 days before":              {provider.GrantStatic, 180 * day, 40 * day, nil},
		"a key, 29 days before":              {provider.GrantStatic, 180 * day, 29 * day, []policy.Event{policy.PersonIn30}},
		"a key, 14 days before":              {provider.GrantStatic, 180 * day, 14 * day, []policy.Event{policy.PersonIn14}},
		"a key, 2 days before":               {provider.GrantStatic, 180 * day, 2 * day, []policy.Event{policy.PersonIn3}},
		"a key, hours before":                {provider.GrantStatic, 180 * day, 5 * time.Hour, []policy.Event{policy.PersonIn1}},
		"a key of 25 days, 20 days before":   {provider.GrantStatic, 25 * day, 20 * day, nil},
		"a key of 25 days, 13 days before":   {provider.GrantStatic, 25 * day, 13 * day, []policy.Event{policy.PersonIn14}},
		"an authorization, 29 days before":   {provider.GrantAuthorizationCode, 180 * day, 29 * day, nil},
		"an authorization, 14 days before":   {provider.GrantAuthorizationCode, 180 * day, 14 * day, []policy.Event{policy.PersonIn14}},
		"a code of a device, 29 days before": {provider.GrantDevice, 180 * day, 29 * day, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := storetest.SQLite(t)
			staff(t, s)
			now := time.Now()
			addStatic(t, s, addService(t, s, "shop").ID, tt.grant, now.Add(tt.left-tt.life), tt.life)
			begun, _, err := planner(s).TellOfEnds(t.Context(), now)
			ok(t, err)
			open, err := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{Open: true})
			ok(t, err)
			var got []policy.Event
			for _, e := range open {
				got = append(got, e.Event)
			}
			if begun != len(tt.want) || !slices.Equal(got, tt.want) {
				t.Errorf("told of %q, want %q", got, tt.want)
			}
		})
	}
}

// A key goes on to be told of at shorter terms, and a new one ends what is open, on both
// databases.
func TestWhatIsToldOfAStaticKeyGoesOnUntilItIsReplaced(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now, day := time.Now(), 24*time.Hour
		c := addStatic(t, s, addService(t, s, "shop").ID, provider.GrantStatic, now.Add(-151*day), 180*day)
		tell := func(at time.Time, begun, ended int) {
			t.Helper()
			b, e, err := planner(s).TellOfEnds(t.Context(), at)
			ok(t, err)
			if b != begun || e != ended {
				t.Errorf("after %v: %d begun, %d ended; want %d and %d", at.Sub(now).Round(time.Hour), b, e, begun, ended)
			}
		}
		tell(now, 1, 0)
		tell(now.Add(time.Hour), 0, 0)
		tell(now.Add(16*day), 1, 1) // 13 days are left
		next := c.Obtained(now, now, provider.Token{AccessToken: "new"}, provider.Account{}, nil, nil, now.Add(180*day))
		ok(t, s.Grants.UpdateConnection(t.Context(), next, c))
		tell(now.Add(16*day), 0, 1)
	})
}

// addStatic adds a connection whose token set was entered or granted at a time and cannot be
// renewed.
func addStatic(t *testing.T, s *store.Store, serviceID string, grant provider.Grant, obtained time.Time, life time.Duration) connection.Connection {
	t.Helper()
	c := connection.New(obtained, store.NewID(), "key", "key", serviceID, connection.Policy{AutoRenew: provider.AutoRenewNone})
	c.Grant = grant
	c = c.Obtained(obtained, obtained, provider.Token{AccessToken: "a"}, provider.Account{}, nil, nil, obtained.Add(life))
	ok(t, s.Grants.CreateConnection(t.Context(), c))
	c, err := s.Grants.Connection(t.Context(), c.ID)
	ok(t, err)
	return c
}
