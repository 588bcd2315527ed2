package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// staff are two contacts: anna with two ways, and a desk that takes what is left.
func staff(t *testing.T, s *store.Store) {
	t.Helper()
	now := time.Now()
	check(t, s.Notices.SaveChannel(t.Context(), noticedb.Channel{ID: "tg", Title: "Telegram", Kind: "telegram", Settings: map[string]string{"token": "secret"}, CreatedAt: now, UpdatedAt: now}))
	check(t, s.People.SaveContact(t.Context(), policy.Contact{ID: "anna", Title: "Anna", Lang: "ru", Addresses: []policy.Address{{Channel: "tg", To: "1"}, {Channel: "sms", To: "2"}}}, now))
	check(t, s.People.SaveContact(t.Context(), policy.Contact{ID: "desk", Title: "Desk", TakesRest: true, Addresses: []policy.Address{{Channel: "tg", To: "3"}}}, now))
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
