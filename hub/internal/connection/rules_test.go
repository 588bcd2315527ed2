package connection_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

const day = 24 * time.Hour

func TestKeepAliveBeatsTheEndOfAnUnusedRefreshToken(t *testing.T) {
	onDemand := provider.RenewWindow{Kind: provider.RenewOnDemand}
	tests := map[string]struct {
		change   func(*connection.Policy)
		refresh  *time.Duration // refresh token's life in the reply
		from, to time.Duration
	}{
		"idle life":                       {func(p *connection.Policy) { p.Lifetimes.RefreshTokenIdle = 100 * day }, nil, 72 * day, 80 * day},
		"absolute life, renewed by use":   {func(p *connection.Policy) { p.Rotation.Kind = provider.RotationRotates }, new(50 * day), 36 * day, 40 * day},
		"shorter than the declared pause": {func(p *connection.Policy) { p.Window.KeepAlive = 20 * day }, new(10 * day), 7 * day, 8 * day},
		"absolute life, fixed: no use":    {func(*connection.Policy) {}, new(50 * day), 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) { p.Window = onDemand; tt.change(p) })
			reply := token(time.Hour, "r")
			reply.RefreshExpiresIn = tt.refresh
			c := granted(p, reply)
			if tt.to == 0 {
				if !c.Due.IsZero() {
					t.Fatalf("due after %s", c.Due.Sub(start))
				}
				return
			}
			if got := c.Due.Sub(start); got < tt.from || got > tt.to {
				t.Fatalf("due after %s, want %s to %s", got, tt.from, tt.to)
			}
		})
	}
}

func TestAfterExpiryWaitsForItWhateverWantsItSooner(t *testing.T) {
	p := policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) {
		p.Window = provider.RenewWindow{Kind: provider.RenewAfterExpiry, KeepAlive: day, Every: time.Hour}
	})
	c := granted(p, token(14*day, "r"))
	if wait := c.Due.Sub(c.Tokens.ExpiresAt); wait < 0 || wait > 2*time.Second {
		t.Fatalf("due %s after the expiry", wait)
	}
}

func TestAKnownEndThatHasPassedDoesNotEndAGrant(t *testing.T) {
	reply := token(time.Hour, "r")
	reply.RefreshExpiresIn = new(10 * day)
	c := granted(rotating, reply)
	now := start.Add(11 * day) // or the clock was set
	if c.StatusAt(now) != connection.StatusNeedsAuthorization {
		t.Errorf("status is %s", c.StatusAt(now))
	}
	if may, _ := c.MayRenew(now); !may || !c.NextDue(now).Equal(now) {
		t.Error("the service is not asked whether it is true")
	}
	if ended := c.Failed(now, c.Generation, provider.Errorf(provider.ReauthorizationRequired, "invalid_grant", "expired")); !ended.Due.IsZero() {
		t.Error("it is asked again after it said so")
	}
}

func TestATokenThatLivesNoTimeIsNotRenewedWithoutPause(t *testing.T) {
	c := granted(keeping, provider.Token{AccessToken: "a", RefreshToken: "r", ExpiresIn: new(time.Duration(0))})
	if wait := c.Due.Sub(start); wait < time.Second {
		t.Fatalf("due again after %s", wait)
	}
}

func TestTheClockOfAServiceIsNotBelieved(t *testing.T) {
	asked := start.Add(-20 * time.Second) // a slow reply
	c := connection.New(start, "id-1", "n", "t", "s", keeping)
	reply := token(time.Hour, "r")
	reply.Extra = map[string]any{"expires": start.Add(5 * time.Hour).Unix(), "nbf": start.Add(time.Hour).Unix(), "iat": start.Add(-9 * time.Hour).Unix()}
	c = c.Granted(start, asked, reply, provider.Account{}, nil)
	if !c.Tokens.ExpiresAt.Equal(asked.Add(time.Hour)) || !c.Tokens.Valid(start) {
		t.Fatalf("expires %s after the request was about to be sent", c.Tokens.ExpiresAt.Sub(asked))
	}
}

func TestAnOutageIsNotCountedAgainstAGrant(t *testing.T) {
	until := later.Add(10 * time.Second)
	due := map[time.Time]bool{}
	for n := range 200 {
		c := connection.New(start, fmt.Sprintf("id-%d", n), "n", "t", "s", keeping).
			Granted(start, start, token(8*time.Hour, "r"), provider.Account{}, nil)
		deferred := c.Deferred(later, until)
		if deferred.Failure != nil || deferred.Phase() != connection.PhaseWell {
			t.Fatalf("phase %s, failure %v", deferred.Phase(), deferred.Failure)
		}
		if wait := deferred.Due.Sub(until); wait < 0 || wait > 5*time.Second {
			t.Fatalf("due %s after the next probe", wait)
		}
		due[deferred.Due] = true
	}
	if len(due) < 100 {
		t.Fatalf("200 grants come back at %d different times", len(due))
	}
	c := inPhase(t, connection.PhaseWell, keeping).Failed(later, 1, &provider.Error{Kind: provider.Transient, RetryAfter: time.Hour})
	if d := c.Deferred(later, until); d.Failure.Count != 1 || d.Due.Before(later.Add(time.Hour)) {
		t.Error("a probe comes sooner than the service allows this grant")
	}
}

func TestALostReplyIsUncertainOnlyWhereARepeatIsNotSafe(t *testing.T) {
	lost := provider.Errorf(provider.Transient, "timeout", "no answer in time")
	for name, tt := range map[string]struct {
		policy connection.Policy
		want   connection.Phase
	}{
		"rotates":  {rotating, connection.PhaseUncertain},
		"does not": {keeping, connection.PhaseRetrying},
		"rotates, repeat safe": {policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) {
			p.Rotation = provider.Rotation{Kind: provider.RotationRotates, RepeatSafe: true}
		}), connection.PhaseRetrying},
	} {
		t.Run(name, func(t *testing.T) {
			c := inPhase(t, connection.PhaseWell, tt.policy)
			after := c.ReplyLost(later, c.Generation, lost)
			if after.Phase() != tt.want {
				t.Fatalf("phase %s, want %s", after.Phase(), tt.want)
			}
			if c.ReplyLost(later, c.Generation-1, lost).Phase() != connection.PhaseWell {
				t.Fatal("a lost reply to another generation counts")
			}
		})
	}
	c := inPhase(t, connection.PhaseUncertain, rotating)
	if c.StatusAt(start.Add(time.Minute)) != connection.StatusUncertain {
		t.Errorf("status is %s", c.StatusAt(start))
	}
}

func TestWhatBecomesOfAnOpenIntent(t *testing.T) {
	graceful := policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) {
		p.Rotation = provider.Rotation{Kind: provider.RotationRotatesWithGrace, Grace: time.Minute}
	})
	began := connection.OpenIntent{Generation: 1, StartedAt: start, Deadline: start.Add(30 * time.Second)}
	with := func(change func(*connection.OpenIntent)) connection.OpenIntent {
		i := began
		change(&i)
		return i
	}
	tests := map[string]struct {
		policy connection.Policy
		intent connection.OpenIntent
		after  time.Duration
		want   connection.Settlement
		until  time.Duration
	}{
		"saved already":                     {rotating, with(func(i *connection.OpenIntent) { i.Generation = 0 }), 0, connection.SettleDrop, 0},
		"its reply was found":               {rotating, with(func(i *connection.OpenIntent) { i.Replied = true }), 0, connection.SettleFinish, 0},
		"mine, no reply":                    {rotating, with(func(i *connection.OpenIntent) { i.Mine = true }), 0, connection.SettleTryOnce, 0},
		"foreign, repeat safe, in time":     {keeping, began, time.Second, connection.SettleWait, 30 * time.Second},
		"foreign, repeat safe, over":        {keeping, began, 30 * time.Second, connection.SettleTryOnce, 0},
		"foreign, rotates":                  {rotating, began, 10 * time.Minute, connection.SettleWait, 15 * time.Minute},
		"foreign, rotates, waited for":      {rotating, began, 15 * time.Minute, connection.SettleTryOnce, 0},
		"foreign, in the grace":             {graceful, began, 40 * time.Second, connection.SettleTryOnce, 0},
		"foreign, in the grace, in time":    {graceful, began, 20 * time.Second, connection.SettleWait, 30 * time.Second},
		"foreign, after the grace":          {graceful, began, 2 * time.Minute, connection.SettleWait, 15 * time.Minute},
		"begun by a clock that was set":     {rotating, with(func(i *connection.OpenIntent) { i.StartedAt = start.Add(9 * day) }), 0, connection.SettleWait, 15 * time.Minute},
		"clock set forward: waited for, so": {rotating, began, 9 * day, connection.SettleTryOnce, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := inPhase(t, connection.PhaseWell, tt.policy)
			got, until := c.Settle(start.Add(tt.after), tt.intent, 15*time.Minute)
			if got != tt.want || (got == connection.SettleWait && !until.Equal(start.Add(tt.until))) {
				t.Fatalf("%s until %s, want %s until %s", got, until.Sub(start), tt.want, tt.until)
			}
		})
	}
}

func TestWhichTokenSetMayBePutBack(t *testing.T) {
	first := connection.TokenSet{AccessToken: "a1", RefreshToken: "r1", ObtainedAt: start, ExpiresAt: start.Add(time.Hour)}
	expired := connection.TokenSet{AccessToken: "a0", ObtainedAt: start, ExpiresAt: start.Add(time.Hour)}
	over := connection.TokenSet{AccessToken: "a1", RefreshToken: "r1", ExpiresAt: start.Add(time.Hour), RefreshExpiresAt: start.Add(2 * time.Hour)}
	second := inPhase(t, connection.PhaseEnded, keeping).Granted(start, start, token(time.Hour, "r2"), provider.Account{}, nil)
	rotates := second
	rotates.Policy = rotating
	tests := map[string]struct {
		c    connection.Connection
		past connection.PastSet
		want error
	}{
		"an older grant":         {second, connection.PastSet{Generation: 1, Tokens: first}, nil},
		"rotated: spent":         {rotates, connection.PastSet{Generation: 1, Tokens: first}, connection.ErrRestoreRotates},
		"the current one":        {second, connection.PastSet{Generation: 2, Tokens: first}, connection.ErrRestoreCurrent},
		"expired, not renewable": {second, connection.PastSet{Generation: 1, Tokens: expired}, connection.ErrRestoreUseless},
		"refresh token is over":  {second, connection.PastSet{Generation: 1, Tokens: over}, connection.ErrRestoreUseless},
		"given back":             {second.Revoked(start), connection.PastSet{Generation: 1, Tokens: first}, connection.ErrRestoreNoGrant},
		"never granted":          {inPhase(t, connection.PhasePending, keeping), connection.PastSet{Tokens: first}, connection.ErrRestoreNoGrant},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := tt.c.MayRestore(later, tt.past); !errors.Is(err, tt.want) {
				t.Fatalf("error is %v, want %v", err, tt.want)
			}
		})
	}
	ended := second.Failed(later, second.Generation, provider.Errorf(provider.ReauthorizationRequired, "invalid_grant", "gone"))
	good, ok := ended.LastGood(later, []connection.PastSet{{Generation: 1, Tokens: expired}, {Generation: 0, Tokens: first}})
	if !ok || good.Generation != 0 {
		t.Fatalf("the last good one is generation %d, %t", good.Generation, ok)
	}
	back := ended.Restored(later, good)
	if back.Phase() != connection.PhaseWell || back.Tokens.RefreshToken != "r1" || back.Generation != ended.Generation+1 || !back.Due.Equal(later) {
		t.Fatalf("put back: %s, generation %d, due %s", back.Phase(), back.Generation, back.Due)
	}
}
