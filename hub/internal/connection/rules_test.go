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
	dead := provider.Token{AccessToken: "a", RefreshToken: "r", ExpiresIn: new(time.Millisecond)}
	c, now, requests := granted(keeping, dead).Renewed(start, start, dead), start, 1
	for ; now.Before(start.Add(20 * time.Second)); now = now.Add(100 * time.Millisecond) {
		if may, _ := c.MayRenew(now); may && !now.Before(c.Due) {
			c = c.Renewed(now, now, dead)
			requests++
		} else if may {
			t.Fatal("a pull may renew it before its waiting time is over")
		}
	}
	if requests > 4 {
		t.Fatalf("%d requests in 20 s", requests)
	}
	if c = c.Renewed(now, now, token(time.Hour, "r")); c.Tokens.Short != 0 || c.Due.Sub(now) < 40*time.Minute {
		t.Errorf("after a token that lives it is due in %s", c.Due.Sub(now))
	}
}

// golang.org/x/oauth2 reads an expires_in of zero as not said; less makes no sense.
func TestALifeOfZeroOrLessIsNotKnown(t *testing.T) {
	for life, doubt := range map[time.Duration]connection.Doubt{0: "", -time.Second: connection.DoubtNegativeLife} {
		c := granted(keeping, provider.Token{AccessToken: "a", RefreshToken: "r", ExpiresIn: &life})
		if !c.Tokens.ExpiresAt.IsZero() || !c.Tokens.Valid(start.Add(day)) || c.Tokens.Doubt != doubt || c.StatusAt(start) != connection.StatusFresh {
			t.Errorf("%s: ends %s, doubt %q, status %s", life, c.Tokens.ExpiresAt, c.Tokens.Doubt, c.StatusAt(start))
		}
		declared := keeping
		declared.Lifetimes.AccessToken = time.Hour
		if c = granted(declared, provider.Token{AccessToken: "a", ExpiresIn: &life}); !c.Tokens.ExpiresAt.Equal(start.Add(time.Hour)) {
			t.Errorf("%s: what the description declares does not count", life)
		}
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
		if deferred.Failure != nil || deferred.Phase() != connection.PhaseHealthy {
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
	c := inPhase(t, connection.PhaseHealthy, keeping).Failed(later, 1, &provider.Error{Kind: provider.Transient, RetryAfter: time.Hour})
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
			c := inPhase(t, connection.PhaseHealthy, tt.policy)
			after := c.ReplyLost(later, c.Generation, lost, connection.Lost{SentAt: later})
			if after.Phase() != tt.want {
				t.Fatalf("phase %s, want %s", after.Phase(), tt.want)
			}
			if c.ReplyLost(later, c.Generation-1, lost, connection.Lost{SentAt: later}).Phase() != connection.PhaseHealthy {
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
	revoking := policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) { p.Rotation.Kind = provider.RotationRotatesRevokesAccess })
	began := connection.OpenIntent{Generation: 1, StartedAt: start, SendBy: start.Add(30 * time.Second), Deadline: start.Add(330 * time.Second)}
	with := func(change func(*connection.OpenIntent)) connection.OpenIntent {
		i := began
		change(&i)
		return i
	}
	mine := with(func(i *connection.OpenIntent) { i.Mine = true })
	slow := with(func(i *connection.OpenIntent) { i.Deadline = start.Add(time.Hour) })
	// The access token expires at the given time; zero is a token that is over.
	over, long := time.Duration(0), 10*time.Hour
	tests := map[string]struct {
		policy connection.Policy
		intent connection.OpenIntent
		life   time.Duration
		after  time.Duration
		want   connection.Settlement
		until  time.Duration
	}{
		"saved already":                         {rotating, with(func(i *connection.OpenIntent) { i.Generation = 0 }), over, 0, connection.SettleDrop, 0},
		"later than the row, may be answered":   {rotating, with(func(i *connection.OpenIntent) { i.Generation, i.Mine = 7, true }), long, 5 * time.Minute, connection.SettleWait, 330 * time.Second},
		"later than the row, of another":        {rotating, with(func(i *connection.OpenIntent) { i.Generation = 7 }), over, 14 * time.Minute, connection.SettleWait, 15 * time.Minute},
		"later than the row, answered":          {rotating, with(func(i *connection.OpenIntent) { i.Generation, i.Replied = 7, true }), over, time.Minute, connection.SettleWait, 15 * time.Minute},
		"later than the row, over":              {rotating, with(func(i *connection.OpenIntent) { i.Generation = 7 }), long, 15 * time.Minute, connection.SettleDrop, 0},
		"later than the row, repeat safe":       {keeping, with(func(i *connection.OpenIntent) { i.Generation, i.Mine = 7, true }), over, 0, connection.SettleDrop, 0},
		"its reply was found":                   {rotating, with(func(i *connection.OpenIntent) { i.Replied = true }), over, 0, connection.SettleFinish, 0},
		"mine, never sent":                      {rotating, with(func(i *connection.OpenIntent) { i.Mine, i.Unsent = true, true }), long, 0, connection.SettleTryOnce, 0},
		"mine, repeat safe":                     {keeping, mine, over, 0, connection.SettleTryOnce, 0},
		"mine, may still be answered":           {rotating, mine, over, 5 * time.Minute, connection.SettleWait, 330 * time.Second},
		"mine, cannot be answered any more":     {rotating, mine, over, 331 * time.Second, connection.SettleTryOnce, 0},
		"mine, the access token lives":          {rotating, mine, long, 331 * time.Second, connection.SettleWait, 9*time.Hour + 30*time.Minute},
		"mine, the access token nearly over":    {rotating, mine, long, 9*time.Hour + 31*time.Minute, connection.SettleTryOnce, 0},
		"mine, the access token is revoked":     {revoking, mine, long, 331 * time.Second, connection.SettleTryOnce, 0},
		"mine, in the grace":                    {graceful, mine, long, 50 * time.Second, connection.SettleTryOnce, 0},
		"foreign, repeat safe, may be sent":     {keeping, began, over, time.Second, connection.SettleWait, 30 * time.Second},
		"foreign, repeat safe, is not sent":     {keeping, began, long, 30 * time.Second, connection.SettleTryOnce, 0},
		"foreign, rotates":                      {rotating, began, over, 10 * time.Minute, connection.SettleWait, 15 * time.Minute},
		"foreign, rotates, waited for":          {rotating, began, over, 15 * time.Minute, connection.SettleTryOnce, 0},
		"foreign, the access token lives":       {rotating, began, long, 15 * time.Minute, connection.SettleWait, 9*time.Hour + 30*time.Minute},
		"foreign, an hour for the reply":        {rotating, slow, over, 20 * time.Minute, connection.SettleWait, time.Hour + 714*time.Second},
		"foreign, in the grace":                 {graceful, began, long, 40 * time.Second, connection.SettleTryOnce, 0},
		"foreign, in the grace, may be sent":    {graceful, began, long, 20 * time.Second, connection.SettleWait, 30 * time.Second},
		"foreign, after the grace":              {graceful, began, over, 2 * time.Minute, connection.SettleWait, 15 * time.Minute},
		"begun by a clock that was set":         {rotating, with(func(i *connection.OpenIntent) { i.StartedAt = start.Add(9 * day) }), over, 0, connection.SettleWait, 15 * time.Minute},
		"a clock set forward: it is waited for": {rotating, began, over, 9 * day, connection.SettleTryOnce, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := inPhase(t, connection.PhaseHealthy, tt.policy)
			c.Tokens.ExpiresAt = start.Add(tt.life)
			got, until := c.Settle(start.Add(tt.after), tt.intent, 15*time.Minute)
			// The try that is left is spread over a quarter of half a margin.
			spread := time.Duration(0)
			if tt.life > 0 {
				spread = 450 * time.Second
			}
			want := start.Add(tt.until)
			if got != tt.want || (got == connection.SettleWait && (until.After(want) || until.Before(want.Add(-spread)))) {
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
	if back.Phase() != connection.PhaseHealthy || back.Tokens.RefreshToken != "r1" || back.Generation != ended.Generation+1 || !back.Due.Equal(later) {
		t.Fatalf("put back: %s, generation %d, due %s", back.Phase(), back.Generation, back.Due)
	}
}

func TestTheOneTryThatIsLeftIsNotHurried(t *testing.T) {
	lost := provider.Errorf(provider.Transient, "", "no reply within 5m0s")
	due := start.Add(55 * time.Minute) // of a token that lives an hour
	graceful := policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) {
		p.Rotation = provider.Rotation{Kind: provider.RotationRotatesWithGrace, Grace: time.Minute}
	})
	revoking := policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) { p.Rotation.Kind = provider.RotationRotatesRevokesAccess })
	for name, tt := range map[string]struct {
		policy      connection.Policy
		now         time.Time
		lost        connection.Lost
		earliest    time.Duration // from now
		latest      time.Duration
		wantForced  bool // somebody may ask at once
		wantUnknown bool
	}{
		"the access token lives":          {rotating, due, connection.Lost{SentAt: due}, time.Minute, 2 * time.Minute, true, true},
		"the access token is over":        {rotating, start.Add(2 * time.Hour), connection.Lost{SentAt: due}, time.Second, 2 * time.Second, true, true},
		"the peer closed the connection":  {rotating, start.Add(2 * time.Hour), connection.Lost{SentAt: due, AnswerableUntil: start.Add(2*time.Hour + 30*time.Second)}, 30 * time.Second, 31 * time.Second, false, true},
		"the access token may be revoked": {revoking, due, connection.Lost{SentAt: due}, time.Second, 2 * time.Second, true, true},
		"in the grace":                    {graceful, due, connection.Lost{SentAt: due}, time.Second, 2 * time.Second, true, true},
		"after the grace":                 {graceful, due, connection.Lost{SentAt: due.Add(-time.Minute)}, time.Minute, 2 * time.Minute, true, true},
		"a gateway answered":              {rotating, due, connection.Lost{SentAt: due, OnTheWay: true, AnswerableUntil: due.Add(30 * time.Second)}, time.Minute, 2 * time.Minute, false, false},
		"a repeat is safe":                {keeping, due, connection.Lost{SentAt: due}, time.Second, 2 * time.Second, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := inPhase(t, connection.PhaseHealthy, tt.policy)
			c.Tokens.ObtainedAt, c.Tokens.ExpiresAt = start, start.Add(time.Hour)
			after := c.ReplyLost(tt.now, c.Generation, lost, tt.lost)
			if wait := after.Due.Sub(tt.now); wait < tt.earliest || wait > tt.latest {
				t.Errorf("tried again after %s, want %s to %s", wait, tt.earliest, tt.latest)
			}
			if may, _ := after.MayRenew(after.Due.Add(-time.Millisecond)); may {
				t.Error("a pull may renew before it is due")
			}
			if may, _ := after.MayRenewNow(tt.now); may != tt.wantForced {
				t.Errorf("whoever asks for it may renew at once: %t, want %t", may, tt.wantForced)
			}
			if got := after.Failure.Uncertain; got != tt.wantUnknown {
				t.Errorf("uncertain %t, want %t", got, tt.wantUnknown)
			}
			// A try that could not be sent leaves the one try where it was.
			later := after.Failed(tt.now.Add(time.Second), c.Generation, provider.Errorf(provider.Transient, "", "no connection"))
			if tt.wantUnknown && later.Due.Before(after.Due.Add(-time.Minute)) && !after.Due.Before(tt.now.Add(time.Minute)) {
				t.Errorf("after a try that was not sent it is due %s sooner", after.Due.Sub(later.Due))
			}
		})
	}
}
