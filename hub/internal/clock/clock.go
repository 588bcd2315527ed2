package clock

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Options of a Clock. Zero values get defaults.
type Options struct {
	Logger hclog.Logger
	// Elapsed is the time that has truly passed since some moment, also while the machine
	// slept; the monotonic clock.
	Elapsed func() time.Duration
	// Boot names the start of the machine, if Elapsed counts from it; Remembered is what an
	// earlier run of this hub has noted. Optional.
	Boot       string
	Remembered *Remembered
	// Off is how far this hub's wall clock is off, for simulations: nil is not at all.
	Off func() time.Duration
	// Move moves what was dated before the database's clock stepped by so much; negative if
	// it went back. The doubt lasts until it has succeeded; optional.
	Move func(ctx context.Context, by time.Duration) error
}

// Clock is the hub's time. It is safe for concurrent use.
type Clock struct {
	o Options

	mu    sync.Mutex
	judge judge
	// wall is the hub's clock at the last sample, and off how far it was off.
	wall time.Time
	off  time.Duration
	last sample
}

// Doubt is why the clocks are not trusted.
type Doubt struct {
	// Hub and Database are how far the clocks have stepped since they were last trusted.
	Hub, Database time.Duration
	// Since is how long they have agreed again.
	Since time.Duration
}

// New returns a Clock that uses this hub's clock until the first heartbeat.
func New(o Options) *Clock {
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	if o.Elapsed == nil {
		begun := time.Now()
		o.Elapsed = func() time.Duration { return time.Since(begun) }
	}
	if o.Off == nil {
		o.Off = func() time.Duration { return 0 }
	}
	c := &Clock{o: o}
	c.remember(o.Remembered)
	return c
}

// mostTrip is the longest round trip whose answer is still used as the time.
const mostTrip = 5 * time.Second

// Beaten takes the database's time; asked and answered are of this hub. It may move dates
// (Options.Move).
func (c *Clock) Beaten(ctx context.Context, database, asked, answered time.Time) {
	trip := answered.Sub(asked)
	if trip > mostTrip {
		return
	}
	c.mu.Lock()
	s := sample{
		elapsed: c.o.Elapsed() - time.Since(answered) - trip/2, hub: answered.Round(0).Add(c.o.Off() - trip/2), database: database, trip: trip,
	}
	begun, settled := c.judge.look(s)
	c.last, c.wall, c.off = s, time.Now(), c.o.Off()
	d, by := c.doubt(), c.judge.by
	c.mu.Unlock()
	if begun {
		c.o.Logger.Error("clock step detected, renewals paused until clocks agree", "hub", d.Hub, "database", d.Database)
	}
	if settled {
		c.settle(ctx, d, by)
	}
}

// settle ends a doubt.
func (c *Clock) settle(ctx context.Context, d Doubt, by time.Duration) {
	if by != 0 && c.o.Move != nil {
		if err := c.o.Move(ctx, by); err != nil {
			c.o.Logger.Warn("database clock stepped, move stored times failed, retrying", "by", by, "error", err)
			return
		}
	}
	c.mu.Lock()
	c.judge.believe()
	offset := c.offset()
	c.mu.Unlock()
	c.o.Logger.Warn("clocks agree again, renewals resumed", "hub", d.Hub, "database", d.Database, "offset", offset)
}

// Now is the time by the database's clock: that of the last sign of life, and what has
// passed since.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if !c.judge.seen {
		return time.Now()
	}
	return c.last.database.Add(c.o.Elapsed() - c.last.elapsed)
}

// Of is the time by the database's clock at a time of this hub's, of not long ago.
func (c *Clock) Of(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return c.Now().Add(-time.Since(t))
}

// Latest is the latest time that it may be: what has not expired by then is good by every
// reading. It is Now unless there is a Doubt.
func (c *Clock) Latest() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	latest := c.now()
	if c.judge.seen && c.doubtful() {
		before := c.judge.trusted.database.Add(c.o.Elapsed()) // had nothing stepped
		for _, t := range []time.Time{before, time.Now().Add(c.o.Off())} {
			if t.After(latest) {
				latest = t
			}
		}
	}
	return latest
}

// Doubt reports whether the clocks are not trusted, and why. A step of this hub's own
// clock is detected at once, one of the database's with the next heartbeat.
func (c *Clock) Doubt() (Doubt, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.doubt(), c.doubtful()
}

// Strays reports whether the database's time that was just read is not what it should be:
// its clock has stepped since the last sign of life.
func (c *Clock) Strays(database time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.judge.seen && apart(database.Sub(c.now()), tolerance)
}

// Offset is how far the database's clock is ahead of this hub's, and half the time of the
// question: how exact that is.
func (c *Clock) Offset() (ahead, within time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset(), c.last.trip / 2
}

func (c *Clock) offset() time.Duration {
	if !c.judge.seen {
		return 0
	}
	return c.last.database.Sub(c.last.hub)
}

func (c *Clock) doubtful() bool { return c.judge.doubt || apart(c.stepped(), tolerance) }

// stepped is how far this hub's clock has stepped since the last sample.
func (c *Clock) stepped() time.Duration {
	if !c.judge.seen {
		return 0
	}
	now := time.Now()
	return now.Round(0).Sub(c.wall.Round(0)) - now.Sub(c.wall) + c.o.Off() - c.off
}

func (c *Clock) doubt() Doubt {
	d := Doubt{
		Hub: c.judge.last.hub.Sub(c.judge.trusted.hub) + c.stepped(), Database: c.judge.last.database.Sub(c.judge.trusted.database),
	}
	if c.judge.doubt {
		d.Since = c.last.elapsed - c.judge.since
	}
	return d
}
