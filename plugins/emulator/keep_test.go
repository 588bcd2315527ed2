package emulator

import (
	"testing"
	"time"
)

func TestALedgerRemembersWhatWasSaved(t *testing.T) {
	now := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	before := NewLedger(clock)
	g := before.Open(Grant{ClientID: "app", Account: DefaultDirectory()[0], Scopes: []string{"read"}})
	before.Issue(Access, "a-1", time.Hour, g.ID)
	before.Issue(Refresh, "r-1", 0, g.ID)
	before.Spend(Refresh, "r-1")
	before.Issue(Refresh, "r-2", 0, g.ID)
	data, err := before.Save()
	if err != nil {
		t.Fatal(err)
	}

	after := NewLedger(clock)
	if err := after.Load(data); err != nil {
		t.Fatal(err)
	}
	if got := after.TokenState("a-1"); got != Valid {
		t.Errorf("the access token is %s", got)
	}
	if _, state := after.Spend(Refresh, "r-1"); state != Spent || after.Spent() != 1 {
		t.Errorf("the spent refresh token is %s", state)
	}
	if found, state := after.Spend(Refresh, "r-2"); state != Valid || found.ClientID != "app" || found.Account.ID != 1 || found.Generation != 1 {
		t.Errorf("the refresh token is %s, its grant %+v", state, found)
	}
	if next := after.Open(Grant{}); next.ID != 2 {
		t.Errorf("the next grant is number %d", next.ID)
	}
	now = now.Add(2 * time.Hour)
	if got := after.TokenState("a-1"); got != Expired {
		t.Errorf("the access token is %s after its hour", got)
	}
}

func TestALedgerRefusesWhatItDidNotSave(t *testing.T) {
	for _, data := range []string{`{"grants":[],"secrets":[{"kind":"code","value":"c","grant_id":1}]}`, `[]`, ``} {
		l := NewLedger(time.Now)
		g := l.Open(Grant{})
		l.Issue(Access, "a", time.Hour, g.ID)
		if err := l.Load([]byte(data)); err == nil || l.TokenState("a") != Valid {
			t.Errorf("%q: %v, the token is %s", data, err, l.TokenState("a"))
		}
	}
}
