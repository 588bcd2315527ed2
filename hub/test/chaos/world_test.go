package main

import (
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/test/chaos/authority"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestTheSameSeedDrawsTheSameTroubles(t *testing.T) {
	drawn := func(seed uint64) (acts []act) {
		s := newSite(&stage{}, "postgres", seed, time.Minute)
		s.slots = make([]*slot, 3)
		for range 50 {
			a, gap := s.next()
			if gap <= 0 || a.what == "" {
				t.Fatalf("drew %+v after %s", a, gap)
			}
			acts = append(acts, a)
		}
		return acts
	}
	if !slices.Equal(drawn(7), drawn(7)) {
		t.Error("one seed has drawn two different runs")
	}
	if slices.Equal(drawn(7), drawn(8)) {
		t.Error("two seeds have drawn the same run")
	}
}

func TestAnAnswerIsLostForGoodOnlyWhereARepeatIsSafe(t *testing.T) {
	s := newSite(&stage{}, "sqlite", 1, time.Minute)
	gone := map[provider.RotationKind]int{}
	for _, kind := range authority.Kinds {
		for n := range 2000 {
			if m := s.manner(authority.Request{Family: "f1", Kind: kind, Nth: n}); m.Lose || m.Gateway != 0 {
				gone[kind]++
			}
		}
	}
	if gone[provider.RotationRotates]+gone[provider.RotationRotatesRevokesAccess] > 0 || gone[provider.RotationNone] == 0 || gone[provider.RotationRotatesWithGrace] == 0 {
		t.Errorf("lost %v", gone)
	}
}

// Only what nobody can help may be counted apart.
func TestAGrantIsCountedApartOnlyIfItsHubWasKilledWithTheRequestOut(t *testing.T) {
	at := func(seconds float64) time.Time {
		return time.Unix(1_000_000, 0).Add(time.Duration(seconds * float64(time.Second)))
	}
	end := func(answered float64) *authority.End {
		sent := authority.Entry{Family: "f1", Client: "hub-1.1", At: at(0), Judged: at(0), Next: 2}
		if answered > 0 {
			sent.Answered, sent.Delivered = at(answered), true
		}
		return &authority.End{First: sent, Again: authority.Entry{Family: "f1", Client: "hub-1.2", At: at(30)}}
	}
	lateRead := func(client string, gone float64) *authority.End { // by a busy server, three seconds after the kill
		e := end(1)
		e.First.Client, e.First.Delivered, e.First.Gone = client, false, at(gone)
		return e
	}
	killed := []event{{what: hubKilled, who: "hub-1.1", from: at(-3), to: at(-1)}}
	for name, c := range map[string]struct {
		events []event
		end    *authority.End
		cause  string
		apart  bool
	}{
		"before the answer":               {[]event{{what: hubKilled, who: "hub-1.1", from: at(3), to: at(5)}}, end(10), "hub killed with the request out", true},
		"never answered":                  {[]event{{what: hubKilled, who: "hub-1.1", from: at(3), to: at(5)}}, end(0), "hub killed with the request out", true},
		"right after the answer":          {[]event{{what: hubKilled, who: "hub-1.1", from: at(3), to: at(5)}}, end(2.5), "hub killed with the request out", true},
		"long after the answer":           {[]event{{what: hubKilled, who: "hub-1.1", from: at(9), to: at(11)}}, end(2), "hub killed", false},
		"frozen from the answer to death": {[]event{{what: hubFrozen, who: "hub-1.1", from: at(1), to: at(9)}, {what: hubKilled, who: "hub-1.1", from: at(9.1), to: at(11)}}, end(2), "hub killed with the request out", true},
		"another hub":                     {[]event{{what: hubKilled, who: "hub-2.1", from: at(3), to: at(5)}}, end(10), causeLate, false},
		"frozen":                          {[]event{{what: hubFrozen, who: "hub-1.1", from: at(3), to: at(12)}}, end(10), "hub frozen", false},
		"read after its sender's death":   {killed, lateRead(nobody, 0.01), "hub killed with the request out", true},
		"sent after another's death":      {killed, lateRead("hub-1.2", 0.01), causeUnknown, false},
		"given up after a death":          {killed, lateRead(nobody, 0.9), "hub killed", false},
		"nothing":                         {nil, end(0.1), causeUnknown, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(&stage{}, "postgres", 1, time.Minute)
			for _, e := range c.events {
				s.chronicle.events = append(s.chronicle.events, &e)
			}
			if cause, apart := s.causeOf(c.end); cause != c.cause || apart != c.apart {
				t.Errorf("%q, apart %t", cause, apart)
			}
		})
	}
}

func TestTheJournalOfADeadHubTellsWhichAnswersItHad(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	box, err := seal.Create(key)
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(dir, "data", "journal"), box, hclog.NewNullLogger())
	if err != nil {
		t.Fatal(err)
	}
	for op, token := range map[string]string{"a": "f7.rt.ABC234", "b": "f9.rt.DEF567"} {
		if err := j.Begin(op, nil); err != nil {
			t.Fatal(err)
		}
		if err := j.Append(op, 0, []byte(`{"status":200,"body":"`+base64.StdEncoding.EncodeToString([]byte(`{"refresh_token":"`+token+`"}`))+`"}`)); err != nil {
			t.Fatal(err)
		}
	}
	j.Done("b")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	tokens, err := readJournal(filepath.Join(dir, "data"), key)
	if err != nil || !slices.Equal(tokens, []string{"f7.rt.ABC234"}) {
		t.Errorf("found %v, %v", tokens, err)
	}
}

func TestTheRosterKnowsWhoIsAtTheOtherEnd(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	var r roster
	if name := r.who(conn.LocalAddr()); name != nobody {
		t.Errorf("an empty roster knows %q", name)
	}
	r.join(os.Getpid(), "this")
	if name := r.who(conn.LocalAddr()); name != "this" {
		t.Errorf("it is %q", name)
	}
}

func TestATokenIsStaleOnlyIfNobodyCouldTakeItForGood(t *testing.T) {
	calm := func(_, _ time.Time) bool { return true }
	a, err := authority.Start(authority.Config{AccessLife: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	landed, err := redirected(t.Context(), a.URL+"/rotates/authorize?client_id="+authority.ClientID+"&redirect_uri=http://hub.test/callback")
	if err != nil {
		t.Fatal(err)
	}
	callback, err := url.Parse(landed)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.PostForm(a.URL+"/rotates/token", url.Values{ //nolint:noctx // it is over at once
		"client_id": {authority.ClientID}, "client_secret": {authority.ClientSecret}, "grant_type": {"authorization_code"}, "code": {callback.Query().Get("code")},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var got pulled
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for name, c := range map[string]struct {
		token string
		asked time.Time
		stale bool
	}{
		"never issued":               {"f1.at.NEVER", now, true},
		"good":                       {got.AccessToken, now, false},
		"over while it was answered": {got.AccessToken, now.Add(59 * time.Minute), false},
		"over before it was asked":   {got.AccessToken, now.Add(61 * time.Minute), true},
	} {
		if stale := staleFairly(a, calm)(pulled{AccessToken: c.token, asked: c.asked}, c.asked.Add(5*time.Minute)); stale != c.stale {
			t.Errorf("%s: stale %t", name, stale)
		}
	}
}

func TestTheTableOfTheScenesHasThemInTheirOrder(t *testing.T) {
	all := scenes()
	before := string(worldTable([]row{{all[1], true, counted{grants: 9}}, {all[0], false, counted{grants: 40}}}, "| `gone` | a scene of before | SQLite | 1 | 0 | 0 | 0 | 0 | 0 |  |\n"))
	text := string(worldTable([]row{{all[1], true, counted{grants: 10}}, {all[0], true, counted{grants: 40}}}, before))
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 5 || !strings.Contains(lines[2], "`endpoint-stall`") || !strings.Contains(lines[2], "PostgreSQL") || !strings.Contains(lines[4], "`late-answer`") || !strings.Contains(lines[4], "| 10 |") || !strings.Contains(lines[3], "SQLite | 40 |") {
		t.Errorf("written:\n%s", text)
	}
}
