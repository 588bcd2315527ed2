package escalation_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

// wire plays the services at the other end of the wire: inside a bubble there is no
// network. It notes when it was asked.
type wire struct {
	begun time.Time

	mu     sync.Mutex
	asked  []string
	answer func(r *http.Request, n int) (status int, body string, header http.Header)
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.mu.Lock()
	w.asked = append(w.asked, fmt.Sprintf("%s +%s", strings.Split(r.URL.Host, ".")[0], time.Since(w.begun).Round(time.Second)))
	n := len(w.asked)
	w.mu.Unlock()
	status, body, header := http.StatusOK, `{"ok":true,"result":{"message_id":1},"sid":"SM1","status":"queued"}`, http.Header{}
	if w.answer != nil {
		status, body, header = w.answer(r, n)
	}
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r, ProtoMajor: 1, ProtoMinor: 1}, nil
}

func (w *wire) said() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.asked)
}

// stage is a store with two ways to one contact, and an escalation that runs.
func stage(t *testing.T, answer func(*http.Request, int) (int, string, http.Header)) (*store.Store, *wire) {
	t.Helper()
	s, w, e := still(t, answer)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { e.Run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	return s, w
}

// still is stage with an escalation that does not run.
func still(t *testing.T, answer func(*http.Request, int) (int, string, http.Header)) (*store.Store, *wire, *escalation.Escalation) {
	t.Helper()
	s := storetest.OpenWith(t, store.Options{DataDir: storetest.Folder(t)})
	now := time.Now()
	ok(t, s.Notices.SaveChannel(t.Context(), noticedb.Channel{ID: "tg", Title: "Telegram", Kind: "telegram", Settings: map[string]string{"token": "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "base_url": "https://telegram.example"}, CreatedAt: now, UpdatedAt: now}))
	ok(t, s.Notices.SaveChannel(t.Context(), noticedb.Channel{ID: "sms", Title: "SMS", Kind: "twilio", Settings: map[string]string{"account_sid": "AC0123", "auth_token": "0123456789", "from": "+15005550006", "base_url": "https://twilio.example"}, CreatedAt: now, UpdatedAt: now}))
	ok(t, s.People.SaveContact(t.Context(), policy.Contact{ID: "anna", Title: "Anna", Lang: "en", Zone: "UTC", Addresses: []policy.Address{{Channel: "tg", To: "-100123"}, {Channel: "sms", To: "+79001234567"}}}, now))
	ok(t, s.Notices.SavePolicy(t.Context(), policy.Policy{ID: "p", Title: "Ladder", Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{
		{To: "anna", Channel: "tg"}, {After: 10 * time.Minute, To: "anna", Channel: "sms"},
	}}, now))
	w := &wire{begun: now, answer: answer}
	e := escalation.New(escalation.Options{
		Store: s, Senders: channel.New(channel.Options{Transport: w}), PublicURL: "https://hub.example", Replica: "one", Logger: hclog.NewNullLogger(),
		MakeLink: func(context.Context, string, string, time.Duration) (string, error) { return "/grant/x", nil },
	})
	return s, w, e
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func begin(t *testing.T, s *store.Store) string {
	t.Helper()
	id := store.NewID()
	ok(t, planner(s).Open(t.Context(), noticedb.Escalation{ID: id, IncidentID: store.NewID(), Event: policy.GrantEnded, Affected: 1, OpenedAt: time.Now()}))
	return id
}

// states are those of an escalation's messages, in their order.
func states(t *testing.T, s *store.Store, id string) (list []string) {
	t.Helper()
	all, err := s.Notices.Deliveries(t.Context(), id)
	ok(t, err)
	for _, d := range all {
		list = append(list, d.Kind+" "+d.State)
	}
	return list
}

func TestTheSecondStepComesAfterTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := stage(t, nil)
		id := begin(t, s)
		waittest.Let(10*time.Minute - 5*time.Second)
		if got := w.said(); len(got) != 1 || !strings.HasPrefix(got[0], "telegram") {
			t.Fatalf("before ten minutes: %v", got)
		}
		waittest.Let(10 * time.Second)
		if got := w.said(); len(got) != 2 || !strings.HasPrefix(got[1], "twilio +10m") {
			t.Errorf("after ten minutes: %v", got)
		}
		ok(t, planner(s).Close(t.Context(), id, time.Now()))
		waittest.Let(10 * time.Second)
		if got := w.said(); len(got) != 4 {
			t.Errorf("the end is told %v", got)
		}
		waittest.Let(time.Hour)
		if got := w.said(); len(got) != 4 {
			t.Errorf("an hour later: %v", got)
		}
	})
}

func TestAcknowledgedInTimeNobodyElseIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := stage(t, nil)
		id := begin(t, s)
		waittest.Let(9 * time.Minute)
		ok(t, planner(s).Acknowledge(t.Context(), id, "Anna", time.Now()))
		waittest.Let(time.Hour)
		if got := w.said(); len(got) != 1 {
			t.Errorf("%v", got)
		}
		if got := states(t, s, id); !slices.Equal(got, []string{"problem sent", "problem dropped"}) {
			t.Errorf("%v", got)
		}
	})
}

// A service that is away is tried for a day, ever more rarely; then the message is a
// dead letter that somebody can send again.
func TestAServiceThatIsAwayIsTriedForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := true
		s, w, e := still(t, func(*http.Request, int) (int, string, http.Header) {
			if away {
				return 0, "", nil
			}
			return http.StatusOK, `{"ok":true,"result":{"message_id":1},"sid":"S","status":"queued"}`, http.Header{}
		})
		id := begin(t, s)
		for over := time.Now().Add(36 * time.Hour); time.Now().Before(over); {
			next, err := s.Notices.NextDelivery(t.Context())
			ok(t, err)
			if next.IsZero() {
				break
			}
			waittest.Let(max(time.Until(next), time.Millisecond))
			_, err = e.Deliver(t.Context())
			ok(t, err)
		}
		if got := states(t, s, id); !slices.Equal(got, []string{"problem dead", "problem dead"}) {
			t.Fatalf("after a day and a half: %v", got)
		}
		if n := len(w.said()); n < 50 || n > 80 {
			t.Errorf("two messages were tried %d times", n)
		}
		away = false
		dead, err := s.Notices.DeadDeliveries(t.Context(), 10)
		ok(t, err)
		ok(t, s.Notices.ResendDelivery(t.Context(), dead[0].ID, time.Now()))
		_, err = e.Deliver(t.Context())
		ok(t, err)
		if got := states(t, s, id); !slices.Contains(got, "problem sent") {
			t.Errorf("sent again: %v", got)
		}
	})
}

func TestRetryAfterIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := stage(t, func(_ *http.Request, n int) (int, string, http.Header) {
			if n == 1 {
				return http.StatusTooManyRequests, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 300","parameters":{"retry_after":300}}`, http.Header{}
			}
			return http.StatusOK, `{"ok":true,"result":{"message_id":1}}`, http.Header{}
		})
		id := begin(t, s)
		waittest.Let(295 * time.Second)
		if got := w.said(); len(got) != 1 {
			t.Errorf("asked again too early: %v", got)
		}
		waittest.Let(20 * time.Second)
		if got := w.said(); len(got) != 2 || states(t, s, id)[0] != "problem sent" {
			t.Errorf("after the time that it asked for: %v, %v", got, states(t, s, id))
		}
	})
}

// What a message says is the same at every try: its links are made once.
func TestASecondTrySaysTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := stage(t, func(_ *http.Request, n int) (int, string, http.Header) {
			if n < 4 {
				return http.StatusBadGateway, "", http.Header{}
			}
			return http.StatusOK, `{"ok":true,"result":{"message_id":1}}`, http.Header{}
		})
		id := begin(t, s)
		waittest.Let(5 * time.Second)
		first := messageOf(t, s, id)
		waittest.Let(5 * time.Minute)
		if second := messageOf(t, s, id); first == "" || first != second {
			t.Errorf("%q became %q", first, second)
		}
	})
}

func messageOf(t *testing.T, s *store.Store, id string) string {
	t.Helper()
	all, err := s.Notices.Deliveries(t.Context(), id)
	ok(t, err)
	var m channel.Message
	if len(all[0].Message) == 0 || json.Unmarshal(all[0].Message, &m) != nil {
		return ""
	}
	return m.Text
}
