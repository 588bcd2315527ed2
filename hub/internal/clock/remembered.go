package clock

import "time"

// Remembered is what clocks said when they were last believed. The next run of a hub on the
// same start of the machine can tell by it whether they have stepped meanwhile.
type Remembered struct {
	// Boot names the start of the machine, from which Elapsed counts.
	Boot    string        `json:"boot"`
	Elapsed time.Duration `json:"elapsed"`
	// Hub and Database are what their clocks said at Elapsed.
	Hub      time.Time `json:"hub"`
	Database time.Time `json:"database"`
}

// drift is the share of a pause by which clocks may differ after it that nobody has put
// right.
const drift = 5000

// remember has the first sample compared with what was remembered, if that is of this start
// of the machine.
func (c *Clock) remember(r *Remembered) {
	if r != nil && r.Boot != "" && r.Boot == c.o.Boot {
		c.judge.remembered = &sample{elapsed: r.Elapsed, hub: r.Hub, database: r.Database}
	}
}

// Remembered is what the clocks said when they were last believed; ok is false before the
// first sign of life, or where the machine's starts have no names.
func (c *Clock) Remembered() (r Remembered, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	elapsed, base := c.last.elapsed, c.judge.trusted
	return Remembered{
		Boot: c.o.Boot, Elapsed: elapsed, Hub: base.hub.Add(elapsed), Database: base.database.Add(elapsed),
	}, c.judge.seen && c.o.Boot != ""
}

// Same reports whether two say the same of the clocks, to about a second.
func (r Remembered) Same(q Remembered) bool {
	since := q.Elapsed - r.Elapsed
	return r.Boot == q.Boot && !apart(q.Hub.Sub(r.Hub)-since, time.Second) && !apart(q.Database.Sub(r.Database)-since, time.Second)
}
