package tokensource_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/clock"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
)

// stepped is a clock whose database has stepped.
func stepped(t *testing.T, by time.Duration) *clock.Clock {
	t.Helper()
	c, now := clock.New(clock.Options{}), time.Now()
	c.Beaten(t.Context(), now, now, now)
	c.Beaten(t.Context(), now.Add(by), now, now)
	return c
}

func TestNoRenewalBeginsWhileClocksAreDoubted(t *testing.T) {
	for name, tt := range map[string]struct {
		life, step time.Duration // of the token, and of the database's clock
		served     bool
	}{
		"the token is good by every clock":        {4 * time.Hour, -2 * time.Hour, true},
		"it is good by the one that was set on":   {4 * time.Hour, 2 * time.Hour, true},
		"it has expired by the one that was set":  {time.Hour, 2 * time.Hour, false},
		"it has expired by the one before it was": {-time.Minute, -2 * time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tt.life)
			r.start(t, func(o *tokensource.Options, _ *operation.Options) { o.Clock = stepped(t, tt.step) })
			pulled, err := r.source.Token(t.Context(), r.c.Name, 3*24*time.Hour, 5*time.Second)
			refused, isRefused := errors.AsType[*tokensource.RefusedError](err)
			if (err == nil) != tt.served || err != nil && (!isRefused || refused.RetryAfter <= 0) {
				t.Fatalf("served %v, %v", pulled != nil, err)
			}
			if len(r.arrived) > 0 {
				t.Error("the service was asked")
			}
			if c := r.read(t); c.Failure != nil || c.Generation != r.c.Generation {
				t.Errorf("it counts against the grant: %+v", c.Failure)
			}
		})
	}
}

func TestARenewalThatIsHeldBackIsNotCountedAndGoesOn(t *testing.T) {
	r := newRig(t, -time.Minute)
	held := connection.CauseCopied
	r.start(t, func(o *tokensource.Options, _ *operation.Options) {
		o.Held = func(c connection.Connection) connection.CauseKind {
			if !c.Policy.Rotates() {
				return ""
			}
			return held
		}
	})
	c, err := r.source.RenewNow(t.Context(), r.c.ID, r.c.Generation)
	must(t, err)
	if c.Generation != r.c.Generation || c.Failure != nil || connection.ParseCause(c.Cause).Kind != connection.CauseCopied || !c.Due.After(time.Now()) {
		t.Fatalf("it is at generation %d, cause %q, due %s", c.Generation, c.Cause, c.Due)
	}
	held = ""
	r.let <- struct{}{}
	if c, err = r.source.RenewNow(t.Context(), r.c.ID, r.c.Generation); err != nil || c.Generation != r.c.Generation+1 || c.Cause != "" {
		t.Errorf("it is at generation %d, cause %q: %v", c.Generation, c.Cause, err)
	}
}
