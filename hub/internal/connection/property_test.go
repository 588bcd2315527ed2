package connection_test

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

// policies draws what a provider could declare.
var policies = rapid.Custom(func(t *rapid.T) connection.Policy {
	days := func(name string, values ...int) time.Duration {
		return time.Duration(rapid.SampledFrom(values).Draw(t, name)) * 24 * time.Hour
	}
	return connection.Policy{
		AutoRenew: rapid.SampledFrom([]provider.AutoRenew{
			provider.AutoRenewNone, provider.AutoRenewRefreshToken, provider.AutoRenewRefreshToken, provider.AutoRenewProlong,
			provider.AutoRenewExchange, provider.AutoRenewReissue, provider.AutoRenewSliding,
		}).Draw(t, "auto renew"),
		Window: provider.RenewWindow{
			Kind:      rapid.SampledFrom([]provider.RenewWindowKind{"", provider.RenewBeforeExpiry, provider.RenewAfterExpiry, provider.RenewOnDemand}).Draw(t, "window"),
			Margin:    rapid.SampledFrom([]time.Duration{0, 0, time.Minute, time.Hour, 72 * time.Hour}).Draw(t, "margin"),
			Every:     rapid.SampledFrom([]time.Duration{0, 0, 25 * time.Minute}).Draw(t, "every"),
			KeepAlive: days("keep alive", 0, 0, 20),
		},
		Rotation: provider.Rotation{
			Kind: rapid.SampledFrom([]provider.RotationKind{
				"", provider.RotationNone, provider.RotationRotates, provider.RotationRotatesRevokesAccess, provider.RotationRotatesWithGrace,
			}).Draw(t, "rotation"),
			RepeatSafe: rapid.Bool().Draw(t, "repeat safe"),
		},
		Lifetimes: provider.Lifetimes{
			AccessToken: rapid.SampledFrom([]time.Duration{0, time.Hour, provider.Never}).Draw(t, "access life"),
			// Shorter ones and longer ones than the access token.
			RefreshToken:     days("refresh life", 0, -1, 30, 180),
			RefreshTokenIdle: days("idle life", 0, 0, 7, 180),
		},
	}
})

// replies draws what a service could answer, sensible or not.
var replies = rapid.Custom(func(t *rapid.T) provider.Token {
	reply := provider.Token{
		AccessToken:  rapid.SampledFrom([]string{"a1", "a2", "a3"}).Draw(t, "access"),
		RefreshToken: rapid.SampledFrom([]string{"", "r1", "r2"}).Draw(t, "refresh"),
	}
	if rapid.Bool().Draw(t, "has expires_in") {
		reply.ExpiresIn = new(time.Duration(rapid.SampledFrom([]int{0, 1, 10, 300, 3600, 86_400, 14 * 86_400}).Draw(t, "expires_in")) * time.Second)
	}
	if rapid.IntRange(0, 3).Draw(t, "has refresh end") == 0 {
		reply.RefreshExpiresIn = new(time.Duration(rapid.IntRange(0, 60).Draw(t, "refresh days")) * 24 * time.Hour)
	}
	return reply
})

// life is a connection that random things happen to.
type life struct {
	now  time.Time
	c    connection.Connection
	past []connection.PastSet
}

func (l *life) event(rt *rapid.T) connection.Event {
	kind := rapid.SampledFrom(connection.EventKinds).Draw(rt, "event")
	e := eventOf(l.c, kind, l.now)
	e.Asked = l.now.Add(-time.Duration(rapid.IntRange(0, 30).Draw(rt, "took")) * time.Second)
	if wait := rapid.IntRange(-1, 60).Draw(rt, "answerable for"); wait > 0 {
		e.Lost.AnswerableUntil = l.now.Add(time.Duration(wait) * time.Second)
	}
	e.Token, e.Policy = replies.Draw(rt, "reply"), policies.Draw(rt, "edited policy")
	if e.Failure != nil {
		e.Failure.RetryAfter = time.Duration(rapid.SampledFrom([]int{0, 0, 30, 3600, 10_000_000}).Draw(rt, "retry after")) * time.Second
	}
	if len(l.past) > 0 {
		e.Past = rapid.SampledFrom(l.past).Draw(rt, "past")
	}
	return e
}

// checkStep holds what every single event has to keep.
func (l *life) checkStep(rt *rapid.T, e connection.Event, before, after connection.Connection) {
	setEvents := e.Kind == connection.EventGranted || e.Kind == connection.EventRenewed || e.Kind == connection.EventRestored
	half := e.Kind == connection.EventHalfRenewed && after.Generation > before.Generation
	switch {
	case after.Generation < before.Generation, after.Generation > before.Generation+1:
		rt.Fatalf("the generation went from %d to %d", before.Generation, after.Generation)
	case half && (after.Tokens.RefreshToken != "r-half" || after.Tokens.AccessToken != before.Tokens.AccessToken || after.State == connection.StateEnded):
		rt.Fatal("the refresh token of half a renewal was not kept, or more than that changed")
	case !setEvents && !half && e.Kind != connection.EventRevoked && !reflect.DeepEqual(before.Tokens, after.Tokens):
		rt.Fatalf("%s changed the tokens", e.Kind)
	case after.Generation == before.Generation && !reflect.DeepEqual(before.Tokens, after.Tokens):
		rt.Fatalf("%s changed the tokens within a generation", e.Kind)
	case after.State == connection.StateEnded && before.State != connection.StateEnded &&
		(e.Kind != connection.EventRefused || e.Sent != before.Generation):
		rt.Fatalf("%s of generation %d ended the grant at %d", e.Kind, e.Sent, before.Generation)
	case setEvents && after.Generation > before.Generation && after.Failure != nil:
		rt.Fatalf("a new token set, but still a failure: %v", after.Failure)
	case e.Kind == connection.EventRestored && after.Generation > before.Generation && before.Policy.Rotates():
		rt.Fatal("a spent refresh token was put back")
	case before.Tokens.RefreshToken != "" && e.Kind == connection.EventRenewed && after.Tokens.RefreshToken == "":
		rt.Fatal("a renewal lost the refresh token")
	}
	if e.Kind == connection.EventTransient && after.Failure != nil && before.Failure != nil && after.State == connection.StateActive &&
		before.Trouble() != nil && after.Failure.Count != before.Failure.Count+1 {
		rt.Fatalf("failures went from %d to %d", before.Failure.Count, after.Failure.Count)
	}
}

// checkDue holds what the due time has to keep at all times.
func (l *life) checkDue(rt *rapid.T) {
	c, now := l.c, l.now
	if c.State != connection.StateActive {
		if !c.Due.IsZero() {
			rt.Fatalf("a connection that is %s is due", c.State)
		}
		return
	}
	if c.Due.IsZero() {
		if c.Renewable(now) && !c.Tokens.ExpiresAt.IsZero() && c.Policy.Window.Kind != provider.RenewOnDemand {
			rt.Fatalf("it expires and can be renewed, but is never due: %+v", c.Policy)
		}
		return
	}
	if c.Due.Before(c.UpdatedAt) {
		rt.Fatalf("due %s before it was decided", c.UpdatedAt.Sub(c.Due))
	}
	if f := c.Failure; f != nil {
		// The one try that is left may wait for the end of the access token, but not longer.
		held := !c.Policy.RepeatSafe() && c.Due.Before(c.Tokens.ExpiresAt)
		if wait := c.Due.Sub(c.UpdatedAt); wait > 25*time.Hour && !held && !f.TooEarly {
			rt.Fatalf("after a failure it sleeps for %s", wait)
		}
		if c.Due.Before(f.AnswerableUntil) && !c.Policy.RepeatSafe() {
			rt.Fatalf("it is due %s before the first request cannot be answered any more", f.AnswerableUntil.Sub(c.Due))
		}
		if c.Due.Before(f.RetryAfter) {
			rt.Fatal("it does not obey Retry-After")
		}
	}
	if may, again := c.MayRenew(c.Due); !may && c.Due.Equal(again) {
		rt.Fatal("when it is due it may not be renewed, and is told to come back at once")
	}
}

// checkWindow holds what the due time of a new token set has to keep.
func checkWindow(rt *rapid.T, c connection.Connection, now time.Time) {
	end, due := c.Tokens.ExpiresAt, c.Due
	if c.State != connection.StateActive || due.IsZero() || end.IsZero() || c.Tokens.Short > 0 {
		return
	}
	floor := c.Tokens.ObtainedAt.Add(time.Second)
	if floor.Before(now) {
		floor = now
	}
	window := c.Policy.Window.Kind
	if c.Tokens.Late && window != provider.RenewOnDemand {
		window = provider.RenewAfterExpiry
	}
	switch window {
	case provider.RenewAfterExpiry:
		if due.Before(end) {
			rt.Fatalf("a service that renews only after expiry is asked %s before", end.Sub(due))
		}
	case provider.RenewOnDemand:
	default:
		margin := c.Policy.Margin(c.Tokens.Lifetime())
		if due.After(end.Add(-margin)) && due.After(floor) {
			rt.Fatalf("due %s before the expiry, but the margin is %s", end.Sub(due), margin)
		}
	}
	if again := c.NextDue(now); !again.Equal(due) {
		rt.Fatalf("two replicas disagree: %s and %s", due, again)
	}
}

func TestWhateverHappensToAConnection(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := policies.Draw(rt, "policy")
		l := &life{now: start, c: connection.New(start, "id-"+rapid.StringN(1, 4, -1).Draw(rt, "id"), "n", "t", "s", p)}
		steps := rapid.IntRange(1, 40).Draw(rt, "steps")
		for range steps {
			l.now = l.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 60, 3600, 86_400, 30 * 86_400}).Draw(rt, "passes")) * time.Second)
			e := l.event(rt)
			before := l.c
			l.c = before.Apply(l.now, e)
			l.checkStep(rt, e, before, l.c)
			l.checkDue(rt)
			if l.c.Generation != before.Generation {
				if l.c.Failure == nil {
					checkWindow(rt, l.c, l.now)
				}
				if before.Tokens.AccessToken != "" {
					l.past = append([]connection.PastSet{{Generation: before.Generation, Tokens: before.Tokens}}, l.past...)
				}
				if l.c.State == connection.StateRevoked {
					l.past = nil
				}
			}
		}
	})
}

func TestAClockThatWasSetBackLeavesNothingNeverDue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := policies.Draw(rt, "policy")
		c := granted(p, replies.Draw(rt, "reply"))
		if rapid.Bool().Draw(rt, "fails") {
			c = c.Failed(start, c.Generation, provider.Errorf(provider.Transient, "", "503"))
		}
		back := time.Duration(rapid.IntRange(3, 60*24*365*5).Draw(rt, "minutes back")) * time.Minute
		now := start.Add(-back)
		r := c.SkewCorrected(now)
		if r.FromTheFuture(now) || r.Generation != c.Generation || r.Tokens.RefreshToken != c.Tokens.RefreshToken {
			rt.Fatal("the token set is still dated in the future, or not the same")
		}
		if r.Tokens.Lifetime() != c.Tokens.Lifetime() {
			rt.Fatalf("its life changed from %s to %s", c.Tokens.Lifetime(), r.Tokens.Lifetime())
		}
		if c.Due.IsZero() != r.Due.IsZero() {
			rt.Fatalf("due %s became %s", c.Due, r.Due)
		}
		if r.Due.IsZero() {
			return
		}
		longest := max(c.Due.Sub(start), time.Second)
		if wait := r.Due.Sub(now); wait < 0 || wait > longest {
			rt.Fatalf("due in %s, was due in %s", wait, longest)
		}
		if again := r.SkewCorrected(now); !reflect.DeepEqual(again, r) {
			rt.Fatal("a second look changes it again")
		}
	})
}
