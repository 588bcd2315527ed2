package connection_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func policy(renew provider.AutoRenew, change func(*connection.Policy)) connection.Policy {
	p := connection.Policy{AutoRenew: renew}
	if change != nil {
		change(&p)
	}
	return p
}

func token(life time.Duration, refresh string) provider.Token {
	t := provider.Token{AccessToken: "access-1", RefreshToken: refresh}
	if life != 0 {
		t.ExpiresIn = &life
	}
	return t
}

func granted(p connection.Policy, t provider.Token) connection.Connection {
	c := connection.New(start, "id-1", "sales", "Sales", "svc-1", p)
	return c.Granted(start, start, t, provider.Account{}, nil)
}

func TestWhenARenewalIsDue(t *testing.T) {
	hour := time.Hour
	tests := map[string]struct {
		policy   connection.Policy
		token    provider.Token
		from, to time.Duration // after the start; both zero: never
	}{
		"a tenth before expiry, spread": {policy(provider.AutoRenewRefreshToken, nil), token(hour, "r"), 48 * time.Minute, 54 * time.Minute},
		"margin of the provider": {policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) { p.Window.Margin = 5 * time.Minute }),
			token(hour, "r"), 50 * time.Minute, 55 * time.Minute},
		"margin takes at most half of a short life": {policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) { p.Window.Margin = hour }),
			token(10*time.Minute, "r"), 0, 5 * time.Minute},
		"long lives have a day of margin": {policy(provider.AutoRenewRefreshToken, nil), token(60*24*hour, "r"), 58 * 24 * hour, 59 * 24 * hour},
		"no refresh token":                {policy(provider.AutoRenewRefreshToken, nil), token(hour, ""), 0, 0},
		"service cannot renew":            {policy(provider.AutoRenewNone, nil), token(hour, ""), 0, 0},
		"prolong needs no refresh token":  {policy(provider.AutoRenewProlong, nil), token(hour, ""), 48 * time.Minute, 54 * time.Minute},
		"token that never expires":        {policy(provider.AutoRenewRefreshToken, nil), token(0, "r"), 0, 0},
		"only after expiry": {policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) { p.Window.Kind = provider.RenewAfterExpiry }),
			token(hour, "r"), hour, hour + 2*time.Second},
		"on demand is never due by itself": {policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) { p.Window.Kind = provider.RenewOnDemand }),
			token(hour, "r"), 0, 0},
		"on demand is kept alive": {policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) {
			p.Window = provider.RenewWindow{Kind: provider.RenewOnDemand, KeepAlive: 20 * 24 * hour}
		}), token(hour, "r"), 18 * 24 * hour, 20 * 24 * hour},
		"keep-alive comes before the idle end": {policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) {
			p.Window = provider.RenewWindow{Kind: provider.RenewOnDemand, KeepAlive: 90 * 24 * hour}
			p.Lifetimes.RefreshTokenIdle = 10 * 24 * hour
		}), token(hour, "r"), 7 * 24 * hour, 8 * 24 * hour},
		"always fresh": {policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) { p.Window.Every = 25 * time.Minute }),
			token(hour, "r"), 22 * time.Minute, 25 * time.Minute},
		"lifetime of the description where the reply has none": {policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) { p.Lifetimes.AccessToken = hour }),
			token(0, "r"), 48 * time.Minute, 54 * time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := granted(tt.policy, tt.token)
			if tt.to == 0 {
				if !c.Due.IsZero() {
					t.Fatalf("due %s after the grant, want never", c.Due.Sub(start))
				}
				return
			}
			if got := c.Due.Sub(start); got < tt.from || got > tt.to {
				t.Fatalf("due %s after the grant, want between %s and %s", got, tt.from, tt.to)
			}
		})
	}
}

func TestRenewalsAreSpreadAndEveryReplicaAgrees(t *testing.T) {
	due := map[time.Time]int{}
	for n := range 200 {
		c := connection.New(start, fmt.Sprintf("id-%d", n), "x", "x", "s", policy(provider.AutoRenewRefreshToken, nil))
		c = c.Granted(start, start, token(time.Hour, "r"), provider.Account{}, nil)
		if again := c.NextDue(start); !again.Equal(c.Due) {
			t.Fatalf("two computations differ: %s and %s", c.Due, again)
		}
		due[c.Due]++
	}
	if len(due) < 100 {
		t.Fatalf("200 connections are due at %d different times", len(due))
	}
}

func TestWhatAFailureChanges(t *testing.T) {
	tests := map[string]struct {
		err         *provider.Error
		state       connection.State
		status      connection.Status
		least, most time.Duration // until due; zero: never
	}{
		"only an explicit end ends a grant": {provider.Errorf(provider.ReauthorizationRequired, "invalid_grant", "gone"),
			connection.StateEnded, connection.StatusNeedsAuthorization, 0, 0},
		"a wrong secret keeps the grant": {provider.Errorf(provider.Blocked, "invalid_client", "secret"),
			connection.StateActive, connection.StatusNeedsOperator, 5 * time.Minute, 6 * time.Minute},
		"an outage passes": {provider.Errorf(provider.Transient, "", "503"),
			connection.StateActive, connection.StatusRetrying, time.Second, 2 * time.Second},
		"what nobody understands is tried again": {provider.Errorf(provider.Internal, "", "?"),
			connection.StateActive, connection.StatusRetrying, time.Second, 2 * time.Second},
		"nobody was asked, so nobody denied": {provider.Errorf(provider.Denied, "access_denied", "no"),
			connection.StateActive, connection.StatusNeedsOperator, 5 * time.Minute, 6 * time.Minute},
		"Retry-After is obeyed": {&provider.Error{Kind: provider.Transient, RetryAfter: time.Minute},
			connection.StateActive, connection.StatusRetrying, time.Minute, time.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := granted(policy(provider.AutoRenewRefreshToken, nil), token(time.Hour, "r"))
			now := start.Add(55 * time.Minute)
			failed := c.Failed(now, c.Generation, tt.err)
			if failed.State != tt.state || failed.StatusAt(now) != tt.status {
				t.Errorf("state %s status %s, want %s and %s", failed.State, failed.StatusAt(now), tt.state, tt.status)
			}
			if failed.Tokens.AccessToken != "access-1" || failed.Tokens.RefreshToken != "r" {
				t.Error("a failure took tokens away")
			}
			wait := failed.Due.Sub(now)
			if tt.most == 0 && !failed.Due.IsZero() {
				t.Errorf("due in %s, want never", wait)
			}
			if tt.most != 0 && (wait < tt.least || wait > tt.most) {
				t.Errorf("due in %s, want between %s and %s", wait, tt.least, tt.most)
			}
		})
	}
}

func TestALateFailureCannotUndoAnotherRenewal(t *testing.T) {
	c := granted(policy(provider.AutoRenewRefreshToken, nil), token(time.Hour, "r1"))
	sent := c.Generation
	won := c.Renewed(start.Add(time.Minute), start.Add(time.Minute), token(time.Hour, "r2"))
	late := won.Failed(start.Add(2*time.Minute), sent, provider.Errorf(provider.ReauthorizationRequired, "invalid_grant", "spent"))
	if late.State != connection.StateActive || late.Tokens.RefreshToken != "r2" || late.Failure != nil {
		t.Fatalf("the loser of a race changed the winner's grant: state %s", late.State)
	}
}

func TestBackoffGrowsAndIsBounded(t *testing.T) {
	c := granted(policy(provider.AutoRenewRefreshToken, nil), token(time.Hour, "r"))
	now, last := start, time.Duration(0)
	for n := range 100 {
		c = c.Failed(now, c.Generation, provider.Errorf(provider.Transient, "", "503"))
		wait := c.Due.Sub(now)
		if wait > 6*time.Minute {
			t.Fatalf("failure %d waits %s", n+1, wait)
		}
		if n == 5 && wait < 10*last/8 {
			t.Fatalf("failure %d waits %s after %s", n+1, wait, last)
		}
		last, now = wait, c.Due
	}
	if c.Failure.Count != 100 || !c.Failure.Since.Equal(start) {
		t.Fatalf("counted %d failures since %s", c.Failure.Count, c.Failure.Since)
	}
}

func TestARenewalKeepsWhatTheReplyLeavesOut(t *testing.T) {
	first := token(time.Hour, "r1")
	first.Scopes, first.TokenType = []string{"crm"}, "Bearer"
	first.Extra = map[string]any{"member_id": "m", "domain": "a"}
	c := granted(policy(provider.AutoRenewRefreshToken, nil), first)
	next := provider.Token{AccessToken: "access-2", Extra: map[string]any{"domain": "b"}}
	c = c.Renewed(start.Add(time.Hour), start.Add(time.Hour), next)
	got := c.Tokens
	if got.AccessToken != "access-2" || got.RefreshToken != "r1" || got.TokenType != "Bearer" || len(got.Scopes) != 1 {
		t.Errorf("kept the wrong things: %+v", got.Token(start))
	}
	if got.Extra["member_id"] != "m" || got.Extra["domain"] != "b" {
		t.Errorf("extra is %v", got.Extra)
	}
	if c.Generation != 2 {
		t.Errorf("generation %d, want 2", c.Generation)
	}
}

func TestAShortLivedTokenIsNotRenewedAtEveryPull(t *testing.T) {
	c := granted(policy(provider.AutoRenewRefreshToken, nil), token(10*time.Second, "r"))
	if !c.Enough(start, time.Minute) {
		t.Error("a fresh token of 10 s is refused for a least life of a minute")
	}
	if c.Enough(start.Add(6*time.Second), time.Minute) {
		t.Error("a token past half of its short life is enough")
	}
	if c.Enough(start.Add(10*time.Second), 0) {
		t.Error("an expired token is enough")
	}
}

func TestHowAConnectionStands(t *testing.T) {
	day := 24 * time.Hour
	refresh := policy(provider.AutoRenewRefreshToken, nil)
	rotates := policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) { p.Rotation.Kind = provider.RotationRotates })
	ending := token(time.Hour, "r")
	ending.RefreshExpiresIn = new(10 * day)
	tests := map[string]struct {
		c      connection.Connection
		after  time.Duration
		status connection.Status
		reason connection.Reason
	}{
		"renews itself":                 {granted(refresh, token(time.Hour, "r")), 0, connection.StatusFresh, ""},
		"cannot renew":                  {granted(policy(provider.AutoRenewNone, nil), token(40*day, "")), 0, connection.StatusExpires, connection.ReasonNoAutoRenew},
		"cannot renew and has expired":  {granted(policy(provider.AutoRenewNone, nil), token(day, "")), 2 * day, connection.StatusNeedsAuthorization, connection.ReasonNoAutoRenew},
		"born dead":                     {granted(refresh, token(time.Hour, "")), 0, connection.StatusExpires, connection.ReasonNoRefreshToken},
		"fixed refresh token ends soon": {granted(refresh, ending), 0, connection.StatusExpires, connection.ReasonRefreshEnds},
		"rotation moves the end on":     {granted(rotates, ending), 0, connection.StatusFresh, ""},
		"refresh token has run out":     {granted(rotates, ending), 11 * day, connection.StatusNeedsAuthorization, ""},
		"never granted":                 {connection.New(start, "i", "n", "t", "s", refresh), 0, connection.StatusNeedsAuthorization, connection.ReasonNeverGranted},
		"paused":                        {granted(refresh, token(time.Hour, "r")).Paused(start), 0, connection.StatusPaused, ""},
		"resumed":                       {granted(refresh, token(time.Hour, "r")).Paused(start).Resumed(start), 0, connection.StatusFresh, ""},
		"revoked":                       {granted(refresh, token(time.Hour, "r")).Revoked(start), 0, connection.StatusRevoked, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.c.StatusAt(start.Add(tt.after)); got != tt.status {
				t.Errorf("status %s, want %s", got, tt.status)
			}
			if _, reason := tt.c.PersonBy(); reason != tt.reason {
				t.Errorf("reason %q, want %q", reason, tt.reason)
			}
		})
	}
}

func TestWhenADemandMayRenew(t *testing.T) {
	after := policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) { p.Window.Kind = provider.RenewAfterExpiry })
	c := granted(after, token(time.Hour, "r"))
	if may, again := c.MayRenew(start.Add(59 * time.Minute)); may || !again.Equal(start.Add(time.Hour)) {
		t.Errorf("may %t, again %s: a service that renews only after expiry was asked before", may, again)
	}
	if may, _ := c.MayRenew(start.Add(time.Hour)); !may {
		t.Error("the expired token may not be renewed")
	}
	c = granted(policy(provider.AutoRenewRefreshToken, nil), token(time.Hour, "r"))
	failed := c.Failed(start, c.Generation, &provider.Error{Kind: provider.Transient, RetryAfter: time.Minute})
	if may, again := failed.MayRenew(start.Add(30 * time.Second)); may || !again.Equal(failed.Due) {
		t.Error("pulls storm a service that asked to wait")
	}
	if may, _ := failed.MayRenew(failed.Due); !may {
		t.Error("the waiting time is over, but no renewal may begin")
	}
}

func TestTokenSetsPrintNoSecrets(t *testing.T) {
	c := granted(policy(provider.AutoRenewRefreshToken, nil), token(time.Hour, "refresh-secret"))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, c.Tokens); strings.Contains(s, "access-1") || strings.Contains(s, "refresh-secret") {
			t.Errorf("%s prints %s", verb, s)
		}
	}
}

func TestAccessCodesHoldAllThatTheServiceGave(t *testing.T) {
	given := token(time.Hour, "r")
	given.Scopes = []string{"crm", "task"}
	given.Extra = map[string]any{"domain": "acme.bitrix24.ru", "client_endpoint": "https://acme.bitrix24.ru/rest/", "member_id": "m", "expires": 1775216125, "accessToken": "another"}
	data, err := json.Marshal(granted(policy(provider.AutoRenewRefreshToken, nil), given).Codes(start, "bitrix24", "app.1", false))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"serviceId": "bitrix24", "clientId": "app.1", "accessToken": "access-1", "expiresIn": 3600.0, "expires": float64(start.Add(time.Hour).UnixMilli()),
		"authMethod": "bearer", "scope": "crm task", "domain": "acme.bitrix24.ru", "client_endpoint": "https://acme.bitrix24.ru/rest/", "member_id": "m",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s", data)
	}
	if codes := granted(policy(provider.AutoRenewRefreshToken, nil), given).Codes(start, "google-calendar", "g", false); codes.ServiceID != "google" {
		t.Errorf("Google's access codes are of %q", codes.ServiceID)
	}
}

func TestAccessCodesKeepTheRefreshTokenUnlessAsked(t *testing.T) {
	c := granted(policy(provider.AutoRenewRefreshToken, nil), token(time.Hour, "r"))
	codes := c.Codes(start.Add(time.Minute), "bitrix24", "app.1", false)
	if codes.RefreshToken != "" || *codes.ExpiresIn != 59*60 || *codes.Expires != start.Add(time.Hour).UnixMilli() || codes.AuthMethod != "bearer" {
		t.Errorf("codes are off: expiresIn %d, expires %d, method %s", *codes.ExpiresIn, *codes.Expires, codes.AuthMethod)
	}
	if c.Codes(start, "bitrix24", "app.1", true).RefreshToken != "r" {
		t.Error("the refresh token was asked for and is missing")
	}
}
