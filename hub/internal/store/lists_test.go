package store_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// everyKind are connections in every state, with every policy, failure and age.
func everyKind(serviceID string, now time.Time) (all []connection.Connection) {
	ages := []time.Duration{-time.Hour, time.Hour, 13 * 24 * time.Hour, 100 * 24 * time.Hour}
	failures := []*connection.Failure{nil, {Kind: provider.Transient, At: now, Count: 1}, {Kind: provider.Blocked, At: now, Count: 1}, {Kind: provider.Transient, Uncertain: true, At: now, Count: 1}}
	for _, state := range []connection.State{connection.StatePending, connection.StateActive, connection.StatePaused, connection.StateEnded, connection.StateRevoked} {
		for _, renew := range []provider.AutoRenew{provider.AutoRenewNone, provider.AutoRenewRefreshToken, provider.AutoRenewProlong, provider.AutoRenewReissue} {
			for _, rotation := range []provider.RotationKind{provider.RotationNone, provider.RotationRotates} {
				for f, failure := range failures {
					for a, age := range append(ages, 0) {
						for r, refreshAge := range append(ages, 0) {
							c := connection.Connection{
								ID: store.NewID(), Name: fmt.Sprintf("c%04d", len(all)), Title: fmt.Sprintf("%s %s %s %d %d %d", state, renew, rotation, f, a, r), ServiceID: serviceID,
								State: state, Generation: 1, Failure: failure, CreatedAt: now, UpdatedAt: now.Add(time.Duration(len(all)) * time.Millisecond),
								Policy: connection.Policy{AutoRenew: renew, Rotation: provider.Rotation{Kind: rotation}},
								Tokens: connection.TokenSet{AccessToken: "a", ObtainedAt: now},
							}
							if age != 0 {
								c.Tokens.ExpiresAt = now.Add(age)
							}
							if r%2 == 0 {
								c.Tokens.RefreshToken = "r"
							}
							if refreshAge != 0 {
								c.Tokens.RefreshExpiresAt = now.Add(refreshAge)
							}
							all = append(all, c)
						}
					}
				}
			}
		}
	}
	return all
}

func TestTheDatabaseTellsTheSameStatusAsTheRules(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Now()
		svc := addService(t, s, "shop")
		all := everyKind(svc.ID, now)
		check(t, s.Grants.CreateConnections(t.Context(), all))
		want := map[connection.Status]int{}
		names := map[connection.Status][]string{}
		for _, c := range all {
			status := c.StatusAt(now)
			want[status]++
			names[status] = append(names[status], c.Name)
		}
		got, err := s.Grants.CountByStatus(t.Context(), now)
		check(t, err)
		if !maps.Equal(got, want) {
			t.Errorf("the database counts %v, the rules %v", got, want)
		}
		for status, list := range names {
			found, err := s.Grants.Connections(t.Context(), grantdb.Filter{Status: status})
			check(t, err)
			var have []string
			for _, c := range found {
				have = append(have, c.Name)
			}
			if !slices.Equal(have, list) {
				t.Errorf("%s: %d found, %d wanted", status, len(have), len(list))
			}
		}
		if len(want) != len(connection.Statuses) {
			t.Errorf("only %d statuses were tried", len(want))
		}
	})
}

func TestPagesHoldEveryConnectionOnceInEveryOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Now()
		svc := addService(t, s, "shop")
		all := everyKind(svc.ID, now)[:500]
		check(t, s.Grants.CreateConnections(t.Context(), all))
		for _, order := range grantdb.Sorts {
			seen := map[string]bool{}
			f := grantdb.Filter{Sort: order, Limit: 77}
			var last connection.Connection
			for page := 0; ; page++ {
				p, err := s.Grants.ConnectionPage(t.Context(), f)
				check(t, err)
				for _, c := range p.Connections {
					if seen[c.Name] {
						t.Fatalf("%q: %s twice", order, c.Name)
					}
					seen[c.Name] = true
					if order == grantdb.SortExpires && !last.Tokens.ExpiresAt.IsZero() && !c.Tokens.ExpiresAt.IsZero() && c.Tokens.ExpiresAt.Before(last.Tokens.ExpiresAt) {
						t.Fatalf("%s comes after %s", c.Name, last.Name)
					}
					last = c
				}
				if !p.More {
					break
				}
				f.AfterName, f.AfterKey = p.NextName, p.NextKey
			}
			if len(seen) != len(all) {
				t.Errorf("%q: %d of %d", order, len(seen), len(all))
			}
		}
	})
}

func TestTagsAreFoundAndCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "shop")
		all := everyKind(svc.ID, time.Now())[:6]
		check(t, s.Grants.CreateConnections(t.Context(), all))
		check(t, s.Grants.SetTags(t.Context(), all[0].ID, []string{"sales", "moscow", "sales"}))
		check(t, s.Grants.AddTag(t.Context(), all[1].ID, "sales"))
		check(t, s.Grants.AddTag(t.Context(), all[1].ID, "sales"))
		check(t, s.Grants.AddTag(t.Context(), all[2].ID, "old"))
		check(t, s.Grants.RemoveTag(t.Context(), all[2].ID, "old"))
		page, err := s.Grants.ConnectionPage(t.Context(), grantdb.Filter{Tag: "sales"})
		check(t, err)
		if len(page.Connections) != 2 || !slices.Equal(page.Tags[all[0].ID], []string{"moscow", "sales"}) {
			t.Errorf("found %d, tags %v", len(page.Connections), page.Tags)
		}
		tags, err := s.Grants.Tags(t.Context())
		check(t, err)
		if !slices.Equal(tags, []grantdb.TagCount{{Tag: "moscow", Count: 1}, {Tag: "sales", Count: 2}}) {
			t.Errorf("tags %v", tags)
		}
		ids, err := s.Grants.IDs(t.Context(), grantdb.Filter{Tag: "sales"}, 10)
		check(t, err)
		if !slices.Equal(ids, []string{all[0].ID, all[1].ID}) {
			t.Errorf("ids %v", ids)
		}
	})
}

func TestConnectionsOfAnOlderVersionAreBroughtUpToDate(t *testing.T) {
	url := "sqlite:" + t.TempDir() + "/hub.db"
	s := storetest.Open(t, url)
	svc := addService(t, s, "shop")
	all := everyKind(svc.ID, time.Now())[200:300]
	check(t, s.Grants.CreateConnections(t.Context(), all))
	want, err := s.Grants.CountByStatus(t.Context(), time.Now())
	check(t, err)
	store.Exec(t, s, "UPDATE connections SET renewable_until = -1, phase = '', person_by = 0")
	check(t, s.Grants.FillStatus(t.Context()))
	got, err := s.Grants.CountByStatus(t.Context(), time.Now())
	check(t, err)
	if !maps.Equal(got, want) {
		t.Errorf("%v, before %v", got, want)
	}
}
