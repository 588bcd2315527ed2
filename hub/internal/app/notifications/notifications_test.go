package notifications_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/app/notifications"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestEveryActIsRecorded(t *testing.T) {
	apptest.EveryActIsRecorded(t, "Notifications", "Channels", "Channel", "Contacts", "Contact", "Policies", "Policy", "Texts",
		"Escalations", "Escalation", "Deliveries", "DeadDeliveries", "Sent", "Affected")
}

func each(t *testing.T, test func(t *testing.T, st *store.Store, n *notifications.Notifications)) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		e := escalation.New(escalation.Options{
			Store: st, Senders: channel.New(channel.Options{Version: "test"}), PublicURL: "https://hub.example.test", Replica: "r/1", Logger: hclog.NewNullLogger(),
		})
		test(t, st, notifications.New(notifications.Options{Store: st, Escalation: e, Recorder: apptest.Recorder(st), PublicURL: "https://hub.example.test"}))
	})
}

// Secrets that channels take.
const (
	secret   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	botToken = "123456789:AAabcdefghijklmnopqrstuvwxyz0123456"
)

func TestAChannelIsSavedMovedAndDeleted(t *testing.T) {
	each(t, func(t *testing.T, st *store.Store, n *notifications.Notifications) {
		ann := apptest.As(t, "ann", "u1", access.RoleAdministrator)
		d := notifications.ChannelDraft{Kind: string(channel.Telegram), Title: "Alarms", Settings: map[string]string{"token": botToken}}
		saved, err := n.SaveChannel(ann, d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.SaveChannel(ann, d); problemOf(t, err).Code != notifications.Taken {
			t.Error("a title was taken twice")
		}
		moved := notifications.ChannelDraft{ID: saved.ID, Title: "Alarms", Settings: map[string]string{"base_url": "https://elsewhere.example.test"}}
		if _, err := n.SaveChannel(ann, moved); problemOf(t, err).Code != notifications.Again {
			t.Error("a stored secret goes to another host")
		}
		moved.Settings["token"] = botToken
		if _, err := n.SaveChannel(ann, moved); err != nil {
			t.Fatal(err)
		}
		apptest.Want(t, st, "ann channel.save done Alarms", "ann channel.save refused Alarms", "ann channel.save refused Alarms", "ann channel.hosts done Alarms", "ann channel.save done Alarms")
		if told, err := n.Escalations(ann, noticedb.EscalationFilter{Limit: 10}); err != nil || len(told) != 1 || told[0].Event != policy.HostsChanged {
			t.Errorf("the owners are told of %+v: %v", told, err)
		}
		if _, err := n.DeleteChannel(ann, saved.ID); err != nil {
			t.Error(err)
		}
		if _, err := n.DeleteChannel(ann, saved.ID); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		apptest.Want(t, st, "ann channel.delete done Alarms", "ann channel.delete refused "+saved.ID)
	})
}

func problemOf(t *testing.T, err error) notifications.Problem {
	t.Helper()
	invalid, ok := errors.AsType[*notifications.InvalidError](err)
	if !ok || len(invalid.Problems) != 1 {
		t.Fatalf("no problem of one field: %v", err)
	}
	return invalid.Problems[0]
}

func TestATestMessageIsRecordedWithHowItWent(t *testing.T) {
	each(t, func(t *testing.T, st *store.Store, n *notifications.Notifications) {
		ann := apptest.As(t, "ann", "u1", access.RoleAdministrator)
		status := http.StatusOK
		service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		saved, err := n.SaveChannel(ann, notifications.ChannelDraft{Kind: string(channel.Webhook), Title: "Alarms", Settings: map[string]string{"secret": secret}})
		if err != nil {
			t.Fatal(err)
		}
		const begun = "ann channel.test begun Alarms"
		if _, err := n.TestChannel(ann, saved.ID, service.URL, "en"); err != nil {
			t.Error(err)
		}
		apptest.Want(t, st, begun, "ann channel.test done Alarms")
		status = http.StatusGone
		if _, err := n.TestChannel(ann, saved.ID, service.URL, "en"); err == nil {
			t.Error("what the service refused was taken")
		}
		apptest.Want(t, st, begun, "ann channel.test refused Alarms")
		service.Close()
		if _, err := n.TestChannel(ann, saved.ID, service.URL, "en"); err == nil {
			t.Error("a service that is away took it")
		}
		apptest.Want(t, st, begun, "ann channel.test failed Alarms")
	})
}

func TestWhoIsToldIsSavedAndDeleted(t *testing.T) {
	each(t, func(t *testing.T, st *store.Store, n *notifications.Notifications) {
		ann := apptest.As(t, "ann", "u1", access.RoleAdministrator)
		contact, err := n.SaveContact(ann, notifications.ContactDraft{Contact: policy.Contact{Title: "Night shift", Lang: "en", Zone: "UTC"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.SaveContact(ann, notifications.ContactDraft{Contact: policy.Contact{Title: "x", Zone: "Nowhere/At_all"}}); problemOf(t, err).Field != "zone" {
			t.Error(err)
		}
		rule, err := n.SavePolicy(ann, notifications.PolicyDraft{Policy: policy.Policy{Title: "Alarm", Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{{To: contact.ID}}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.SavePolicy(ann, notifications.PolicyDraft{Policy: policy.Policy{Title: "x"}}); problemOf(t, err).Field != "events" {
			t.Error(err)
		}
		apptest.Want(t, st, "ann contact.save done Night shift", "ann contact.save refused x", "ann policy.save done Alarm", "ann policy.save refused x")
		_, one := n.DeletePolicy(ann, rule.ID)
		_, two := n.DeleteContact(ann, contact.ID)
		parts := map[string]string{}
		for _, part := range escalation.Parts {
			parts[part] = escalation.Original(escalation.Topics[0], "en", part) + " More."
		}
		if err := errors.Join(one, two, n.SaveTexts(ann, escalation.Topics[0], "en", parts)); err != nil {
			t.Error(err)
		}
		parts[escalation.Parts[0]] = "{password}"
		if err := n.SaveTexts(ann, escalation.Topics[0], "en", parts); problemOf(t, err).Code != notifications.Invalid {
			t.Error(err)
		}
		if err := n.ResetTexts(ann, escalation.Topics[0], "en"); err != nil {
			t.Error(err)
		}
		text := escalation.Topics[0] + " en"
		apptest.Want(t, st, "ann policy.delete done Alarm", "ann contact.delete done Night shift", "ann text.save done "+text, "ann text.save refused "+text, "ann text.save done "+text)
	})
}

func TestEscalationsAreAcknowledgedOnce(t *testing.T) {
	each(t, func(t *testing.T, st *store.Store, n *notifications.Notifications) {
		operator := apptest.As(t, "olga", "u2", access.RoleOperator)
		e := noticedb.Escalation{ID: "e1", Event: policy.HostsChanged, Code: escalation.NoticeDone, Message: "x", OpenedAt: time.Now()}
		if err := escalation.NewPlanner(st).Open(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(n.Acknowledge(operator, "e1", "Olga"), n.Acknowledge(operator, "e1", "Olga")); err != nil {
			t.Error(err)
		}
		apptest.Want(t, st, "olga escalation.acknowledge done e1")
		if all := apptest.Records(t, st); len(all) != 1 {
			t.Errorf("recorded %q", all)
		}
		if err := n.AcknowledgeByLink(t.Context(), "no link"); !errors.Is(err, escalation.ErrLinkUnknown) {
			t.Error(err)
		}
		if err := n.EndDrill(apptest.As(t, "ann", "u1", access.RoleAdministrator), "e1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("what is no drill was ended: %v", err)
		}
		apptest.Want(t, st, "olga escalation.acknowledge done e1", "ann escalation.end_drill refused e1")
	})
}

// Who follows the link of a message is recorded as the contact that it was sent to.
func TestAnEscalationIsAcknowledgedByTheLinkOfAMessage(t *testing.T) {
	each(t, func(t *testing.T, st *store.Store, n *notifications.Notifications) {
		ctx, now := t.Context(), time.Now()
		desk := policy.Contact{ID: "desk", Title: "Desk", Zone: "UTC", TakesRest: true, Addresses: []policy.Address{{Channel: "tg", To: "1"}}}
		if err := errors.Join(st.People.SaveContact(ctx, desk, now),
			escalation.NewPlanner(st).Open(ctx, noticedb.Escalation{ID: "e2", Event: policy.GrantEnded, OpenedAt: now})); err != nil {
			t.Fatal(err)
		}
		sent, err := st.Notices.ClaimDeliveries(ctx, "me", now.Add(time.Hour), now.Add(2*time.Hour), 1)
		if err != nil || len(sent) != 1 {
			t.Fatal(sent, err)
		}
		if err := st.Notices.WriteDelivery(ctx, sent[0].ID, []byte("text"), randtoken.Hash("token")); err != nil {
			t.Fatal(err)
		}
		visitor := act.With(ctx, act.Link(audit.KindFront, "", "203.0.113.7", "Firefox"))
		if err := errors.Join(n.AcknowledgeByLink(visitor, "token"), n.AcknowledgeByLink(visitor, "token")); err != nil {
			t.Error(err)
		}
		apptest.Want(t, st, "Desk escalation.acknowledge done e2")
		if e, err := st.Notices.Escalation(ctx, "e2"); err != nil || e.AcknowledgedBy != "Desk" {
			t.Errorf("%+v, %v", e, err)
		}
	})
}

func TestWhoMayNotChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, st *store.Store, n *notifications.Notifications) {
		viewer := apptest.As(t, "eve", "u3", access.RoleViewer)
		_, one := n.SaveContact(viewer, notifications.ContactDraft{Contact: policy.Contact{Title: "Me", Zone: "UTC"}})
		_, two := n.StartDrill(viewer, policy.GrantEnded, "c1")
		_, three := n.Resend(viewer, "d1")
		for _, err := range []error{one, two, three, n.Acknowledge(viewer, "e1", "Eve")} {
			if !errors.Is(err, act.ErrNotAllowed) {
				t.Error(err)
			}
		}
		gone, cancel := context.WithCancel(apptest.As(t, "ann", "u1", access.RoleAdministrator))
		cancel()
		if _, err := n.SaveContact(gone, notifications.ContactDraft{Contact: policy.Contact{Title: "Late", Zone: "UTC"}}); err == nil {
			t.Error("a request that has ended saved a contact")
		}
		apptest.Want(t, st, "eve contact.save refused Me", "eve escalation.drill refused c1", "eve delivery.resend refused d1", "eve escalation.acknowledge refused e1", "ann contact.save failed Late")
		if list, err := n.Contacts(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("contacts %+v: %v", list, err)
		}
	})
}
