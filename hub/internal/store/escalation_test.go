package store_test

import (
	"fmt"
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

// staff are two contacts: anna with two ways, and a desk that takes what is left.
func staff(t *testing.T, s *store.Store) {
	t.Helper()
	now := time.Now()
	check(t, s.Notices.SaveChannel(t.Context(), noticedb.Channel{ID: "tg", Title: "Telegram", Kind: "telegram", Settings: map[string]string{"token": "secret"}, CreatedAt: now, UpdatedAt: now}))
	check(t, s.People.SaveContact(t.Context(), policy.Contact{ID: "anna", Title: "Anna", Lang: "ru", Addresses: []policy.Address{{Channel: "tg", To: "1"}, {Channel: "sms", To: "2"}}}, now))
	check(t, s.People.SaveContact(t.Context(), policy.Contact{ID: "desk", Title: "Desk", TakesRest: true, Addresses: []policy.Address{{Channel: "tg", To: "3"}}}, now))
}

// someConnection is one that works.
func someConnection(serviceID, name string) connection.Connection {
	now := time.Now()
	return connection.New(now, store.NewID(), name, "Shop "+name, serviceID, renewing).
		Granted(now, now, tokens("plain-access-1", "plain-refresh-1"), provider.Account{ID: "7"}, nil)
}

// failing adds connections that suffer from a cause.
func failing(t *testing.T, s *store.Store, svc string, n int, cause string) (ids []string) {
	t.Helper()
	for range n {
		c := someConnection(svc, fmt.Sprintf("f-%s", store.NewID()[24:]))
		c.Failure = &connection.Failure{Kind: provider.Blocked, Code: "invalid_client", Message: "refused", At: c.CreatedAt, Since: c.CreatedAt, Count: 1}
		c.Cause = cause
		check(t, s.Grants.CreateConnection(t.Context(), c))
		ids = append(ids, c.ID)
	}
	return ids
}

func reconcile(t *testing.T, s *store.Store, now time.Time) {
	t.Helper()
	_, _, err := s.Notices.ReconcileIncidents(t.Context(), now)
	check(t, err)
}

func deliveriesOf(t *testing.T, s *store.Store) (lines []string) {
	t.Helper()
	list, err := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{Limit: 100})
	check(t, err)
	for _, e := range list {
		all, err := s.Notices.Deliveries(t.Context(), e.ID)
		check(t, err)
		for _, d := range all {
			lines = append(lines, fmt.Sprintf("%s %s/%s %s", d.Kind, d.Contact, d.Channel, d.State))
		}
	}
	return lines
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestManyConnectionsOfOneCauseAreOneMessage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		svc := addService(t, s, "shop")
		cause := connection.Cause{Kind: connection.CauseClient, Of: svc.ID}.String()
		ids := failing(t, s, svc.ID, 47, cause)
		now := time.Now()
		reconcile(t, s, now)
		reconcile(t, s, now)
		same(t, "at first", deliveriesOf(t, s), "problem desk/tg waiting")

		// One more suffers, and its owner has not been told.
		more := failing(t, s, svc.ID, 1, cause)
		check(t, s.People.SetOwner(t.Context(), more[0], "anna"))
		reconcile(t, s, now)
		list, err := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{Open: true, Limit: 10})
		check(t, err)
		if len(list) != 1 || list[0].Affected != 48 || list[0].Event != policy.OperatorNeeded || list[0].ServiceID != svc.ID {
			t.Fatalf("%+v", list)
		}

		claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", now.Add(time.Second), now.Add(time.Minute), 10)
		check(t, err)
		for _, d := range claimed {
			check(t, s.Notices.BeginSend(t.Context(), d.ID, "me", now.Add(time.Minute)))
			check(t, s.Notices.SentDelivery(t.Context(), d.ID, "ref", now))
		}
		for _, id := range append(ids, more...) {
			c, err := s.Grants.Connection(t.Context(), id)
			check(t, err)
			c.Failure, c.Cause = nil, ""
			check(t, s.Grants.UpdateConnection(t.Context(), c, c))
		}
		reconcile(t, s, now)
		lines := deliveriesOf(t, s)
		if !slices.Contains(lines, "recovered desk/tg waiting") {
			t.Errorf("who was told of the trouble is not told of its end: %q", lines)
		}
	})
}

// Whoever adds the first contact while there is trouble is told of it.
func TestTroubleIsToldAsSoonAsSomebodyCanBe(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "shop")
		failing(t, s, svc.ID, 2, connection.Cause{Kind: connection.CauseClient, Of: svc.ID}.String())
		now := time.Now()
		reconcile(t, s, now)
		same(t, "without a contact", deliveriesOf(t, s))
		staff(t, s)
		reconcile(t, s, now.Add(time.Minute))
		reconcile(t, s, now.Add(2*time.Minute))
		same(t, "with one", deliveriesOf(t, s), "problem desk/tg waiting")
		// An incident of a version that knew no escalations is taken up as well.
		store.Exec(t, s, "DELETE FROM escalations")
		reconcile(t, s, now.Add(3*time.Minute))
		same(t, "of an older version", deliveriesOf(t, s), "problem desk/tg waiting")
	})
}

func TestAcknowledgingLeavesOutTheNextSteps(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		svc := addService(t, s, "shop")
		check(t, s.Notices.SavePolicy(t.Context(), policy.Policy{ID: "p", Title: "Ladder", Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{
			{To: "anna", Channel: "tg"}, {After: 10 * time.Minute, To: "anna", Channel: "sms"},
		}}, time.Now()))
		now := time.Now()
		e := noticedb.Escalation{ID: store.NewID(), Event: policy.GrantEnded, ServiceID: svc.ID, Affected: 1, OpenedAt: now}
		check(t, s.Notices.OpenEscalation(t.Context(), e))
		claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", now.Add(time.Second), now.Add(time.Minute), 10)
		check(t, err)
		if len(claimed) != 1 || claimed[0].Channel != "tg" {
			t.Fatalf("%v is sent at once", claimed)
		}
		check(t, s.Notices.WriteDelivery(t.Context(), claimed[0].ID, []byte("text"), "hash"))
		check(t, s.Notices.SentDelivery(t.Context(), claimed[0].ID, "", now))
		found, by, err := s.Notices.EscalationByAck(t.Context(), "hash")
		check(t, err)
		if found.ID != e.ID || by != "anna" {
			t.Errorf("%s %s", found.ID, by)
		}
		check(t, s.Notices.Acknowledge(t.Context(), e.ID, "Anna", now))
		same(t, "after that", deliveriesOf(t, s), "problem anna/tg sent", "problem anna/sms dropped")
		check(t, s.Notices.CloseEscalation(t.Context(), e.ID, now))
		same(t, "when it is over", deliveriesOf(t, s), "problem anna/tg sent", "problem anna/sms dropped", "recovered anna/tg waiting")
		check(t, s.Notices.CloseEscalation(t.Context(), e.ID, now))
	})
}

func TestEndsOfGrantsAreToldOnceForEachTerm(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		svc := addService(t, s, "shop")
		now := time.Now()
		day := 24 * time.Hour
		end := func(in time.Duration) connection.Connection {
			c := someConnection(svc.ID, "e-"+store.NewID()[24:])
			c.Policy = connection.Policy{AutoRenew: provider.AutoRenewRefreshToken, Rotation: provider.Rotation{Kind: provider.RotationNone}}
			c.AuthorizedAt = now.Add(-30 * day)
			c.Tokens = connection.TokenSet{AccessToken: "a", RefreshToken: "r", ObtainedAt: now, ExpiresAt: now.Add(time.Hour), RefreshExpiresAt: now.Add(in)}
			check(t, s.Grants.CreateConnection(t.Context(), c))
			return c
		}
		for range 47 {
			end(13 * day)
		}
		soon := end(2 * day)
		end(40 * day)
		tell := func(at time.Time, begun, ended int) {
			t.Helper()
			b, e, err := s.Notices.TellOfEnds(t.Context(), at)
			check(t, err)
			if b != begun || e != ended {
				t.Errorf("after %v: %d begun, %d ended; want %d and %d", at.Sub(now).Round(time.Hour), b, e, begun, ended)
			}
		}
		tell(now, 2, 0) // 47 at 14 days are one, and the one at 3 days
		tell(now, 0, 0)
		tell(now.Add(25*time.Hour), 1, 1) // it has one day left, which goes on with what was told at three
		tell(now.Add(3*day), 1, 1)        // it has run out
		tell(now.Add(11*day), 1, 1)       // the 47 have three days left
		c := read(t, s, soon.ID)
		c.Tokens.RefreshExpiresAt, c.Tokens.ExpiresAt = now.Add(90*day), now.Add(90*day)
		check(t, s.Grants.UpdateConnection(t.Context(), c, c))
		tell(now.Add(11*day), 0, 1)
	})
}

func TestChannelsAndContactsAreSealed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		channels, err := s.Notices.Channels(t.Context())
		check(t, err)
		if channels[0].Settings["token"] != "secret" || fmt.Sprintf("%v %#v", channels[0], channels[0]) != "channel Telegram channel Telegram" {
			t.Errorf("%v", channels[0])
		}
		contacts, err := s.People.Contacts(t.Context())
		check(t, err)
		if contacts[0].On("sms") != "2" || contacts[0].Lang != "ru" {
			t.Errorf("%+v", contacts[0])
		}
		if err := s.People.SaveContact(t.Context(), policy.Contact{ID: "other", Title: "Anna"}, time.Now()); err == nil {
			t.Error("two contacts have one title")
		}
		check(t, s.Notices.SaveMessageTemplate(t.Context(), "grant_ended.en.short", "text", time.Now()))
		texts, err := s.Notices.MessageTemplates(t.Context())
		check(t, err)
		if texts["grant_ended.en.short"] != "text" {
			t.Errorf("%v", texts)
		}
		check(t, s.Notices.SaveMessageTemplate(t.Context(), "grant_ended.en.short", "", time.Now()))
		check(t, s.People.DeleteContact(t.Context(), "anna"))
		check(t, s.Notices.DeleteChannel(t.Context(), "tg"))
	})
}

// What a message brings to light is not written over what a person has changed meanwhile.
func TestAMessageUndoesNoChangeOfItsChannelOrContact(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		was := noticedb.Channel{ID: "tg", Title: "Telegram", Kind: "telegram", Settings: map[string]string{"token": "refused"}, CreatedAt: noon, UpdatedAt: noon}
		check(t, s.Notices.SaveChannel(t.Context(), was))
		mended := was
		mended.Settings, mended.UpdatedAt = map[string]string{"token": "good"}, noon.Add(time.Minute)
		check(t, s.Notices.SaveChannel(t.Context(), mended))
		check(t, s.Notices.DisableChannel(t.Context(), was, noon.Add(2*time.Minute)))
		if got, err := s.Notices.Channel(t.Context(), "tg"); err != nil || got.Settings["token"] != "good" || !got.DisabledAt.IsZero() {
			t.Errorf("the refusal of what was there before has left %v, disabled %v, %v", got.Settings, got.DisabledAt, err)
		}
		check(t, s.Notices.DisableChannel(t.Context(), mended, noon.Add(2*time.Minute)))
		if got, err := s.Notices.Channel(t.Context(), "tg"); err != nil || got.DisabledAt.IsZero() {
			t.Errorf("a channel that was refused is still used, %v", err)
		}

		anna := policy.Contact{ID: "anna", Title: "Anna", Addresses: []policy.Address{{Channel: "tg", To: "-1"}}}
		check(t, s.People.SaveContact(t.Context(), anna, noon))
		edited := anna
		edited.Title, edited.Addresses = "Anna Smith", []policy.Address{{Channel: "tg", To: "7"}}
		check(t, s.People.SaveContact(t.Context(), edited, noon))
		check(t, s.People.MoveContact(t.Context(), "anna", "tg", "-1", "-1001", noon))
		if got, err := s.People.Contact(t.Context(), "anna"); err != nil || got.Title != "Anna Smith" || got.On("tg") != "7" {
			t.Errorf("a group that moved has left %+v, %v", got, err)
		}
		check(t, s.People.MoveContact(t.Context(), "anna", "tg", "7", "-1007", noon))
		if got, err := s.People.Contact(t.Context(), "anna"); err != nil || got.On("tg") != "-1007" {
			t.Errorf("a group that moved is not followed: %+v, %v", got, err)
		}
	})
}
