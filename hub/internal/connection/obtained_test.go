package connection

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

var firstOfMay = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// The end of a key is what the service says, else what its owner knows, else what is declared.
func TestTheEndOfAKey(t *testing.T) {
	day := 24 * time.Hour
	for name, tc := range map[string]struct {
		said     *time.Duration
		ends     time.Time
		declared time.Duration
		want     time.Time
	}{
		"the service says it": {new(10 * day), firstOfMay.Add(20 * day), 180 * day, firstOfMay.Add(10 * day)},
		"the owner knows it":  {nil, firstOfMay.Add(20 * day), 180 * day, firstOfMay.Add(20 * day)},
		"it is declared":      {nil, time.Time{}, 180 * day, firstOfMay.Add(180 * day)},
		"it has none":         {nil, time.Time{}, provider.Never, time.Time{}},
		"nobody knows":        {nil, time.Time{}, 0, time.Time{}},
	} {
		policy := PolicyOf(&provider.Description{AutoRenew: provider.AutoRenewRefreshToken, Lifetimes: provider.Lifetimes{AccessToken: tc.declared}}, provider.GrantStatic)
		c := New(firstOfMay, "id", "shop", "shop", "svc", policy)
		c.Grant = provider.GrantStatic
		c = c.Obtained(firstOfMay, firstOfMay, provider.Token{AccessToken: "k", ExpiresIn: tc.said}, provider.Account{}, nil, provider.Fields{"key": "k"}, tc.ends)
		by, _ := c.PersonBy()
		if !c.Tokens.ExpiresAt.Equal(tc.want) || !by.Equal(tc.want) || !c.Due.IsZero() || c.Tokens.Fields.Text("key") != "k" {
			t.Errorf("%s: it ends at %s, a person is needed by %s, due %s", name, c.Tokens.ExpiresAt, by, c.Due)
		}
	}
}

// Nobody but the operator can do something about a client that the service refuses, in
// whatever words.
func TestARefusedClientNeedsItsOperator(t *testing.T) {
	for grant, want := range map[provider.Grant]Status{provider.GrantClientCredentials: StatusNeedsOperator, provider.GrantLogin: StatusNeedsAuthorization} {
		c := New(firstOfMay, "id", "robot", "robot", "svc", PolicyOf(&provider.Description{}, grant))
		c.Grant = grant
		c = c.Obtained(firstOfMay, firstOfMay, provider.Token{AccessToken: "s"}, provider.Account{}, nil, nil, time.Time{})
		c = c.Failed(firstOfMay, 1, &provider.Error{Kind: provider.ReauthorizationRequired, Code: "invalid_grant"})
		if got := c.StatusAt(firstOfMay); got != want || (want == StatusNeedsOperator) == c.Due.IsZero() {
			t.Errorf("%s: it is %s, due %s", grant, got, c.Due)
		}
	}
}

// A login that was refused in words that nobody knows is not hurried: it may be a wrong one.
func TestALoginThatMayBeWrongIsNotHurried(t *testing.T) {
	c := New(firstOfMay, "id", "kassa", "kassa", "svc", PolicyOf(&provider.Description{}, provider.GrantLogin))
	c.Grant = provider.GrantLogin
	c = c.Obtained(firstOfMay, firstOfMay, provider.Token{AccessToken: "s"}, provider.Account{}, nil, nil, time.Time{})
	now, tries := firstOfMay, 0
	for now.Before(firstOfMay.Add(20 * time.Minute)) {
		c = c.Failed(now, 1, &provider.Error{Kind: provider.Internal, HTTPStatus: 400})
		if may, _ := c.MayRenewNow(now.Add(time.Second)); may {
			t.Error("a caller can have it tried again at once")
		}
		now, tries = c.Due, tries+1
	}
	if tries > 3 {
		t.Errorf("it was tried %d times in 20 minutes", tries)
	}
}

// A refused login waits as long as any refusal, also for a caller that asks for a renewal.
func TestARefusedLoginWaits(t *testing.T) {
	for grant, may := range map[provider.Grant]bool{provider.GrantLogin: false, provider.GrantClientCredentials: true} {
		c := New(firstOfMay, "id", "kassa", "kassa", "svc", PolicyOf(&provider.Description{}, grant))
		c.Grant = grant
		c = c.Obtained(firstOfMay, firstOfMay, provider.Token{AccessToken: "s"}, provider.Account{}, nil, provider.Fields{"password": "p"}, time.Time{})
		c = c.Failed(firstOfMay, 1, &provider.Error{Kind: provider.Blocked, Code: "locked"})
		got, again := c.MayRenewNow(firstOfMay.Add(time.Second))
		if got != may || !may && !again.Equal(c.Due) {
			t.Errorf("%s: a renewal may begin: %t, again at %s, due %s", grant, got, again, c.Due)
		}
		if got, _ := c.MayRenewNow(c.Due); !got {
			t.Errorf("%s: it may not begin when it is due", grant)
		}
		renewed := c.Renewed(c.Due, c.Due, provider.Token{AccessToken: "t"})
		if renewed.Tokens.Fields.Text("password") != "p" {
			t.Errorf("%s: a renewal loses what is logged in with", grant)
		}
	}
}
