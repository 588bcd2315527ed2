package authserver

import (
	"testing"
	"time"
)

func TestAServerRemembersItsFamilies(t *testing.T) {
	now := time.Now()
	before := New(Config{})
	f := before.ledger.open(Family{Account: DefaultAccounts()[0], Scopes: []string{"openid"}, nonce: "n"})
	access := before.ledger.issue(secret{kind: "access_token", family: f}, now, time.Hour)
	spent := before.ledger.issue(secret{kind: "refresh_token", family: f}, now, 0)
	before.ledger.spend("refresh_token", spent, now)
	data, err := before.Save()
	if err != nil {
		t.Fatal(err)
	}

	after := New(Config{})
	if err := after.Load(data); err != nil {
		t.Fatal(err)
	}
	if s, state := after.ledger.look("access_token", access, now); state != Valid || s.family.Account.ID != "1" || s.family.nonce != "n" || s.family.Generation != 1 {
		t.Errorf("the access token is %s", state)
	}
	if _, state := after.ledger.spend("refresh_token", spent, now); state != Spent || after.DoubleSpent() != 1 || after.TokenState(access) != Revoked {
		t.Errorf("the spent refresh token is %s, the access token %s", state, after.TokenState(access))
	}
	if err := after.Load([]byte(`{"secrets":[{"family":1}]}`)); err == nil || after.DoubleSpent() != 1 {
		t.Errorf("a family that is not there: %v", err)
	}
}
