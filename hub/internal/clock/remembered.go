package clock

import "time"

// Remembered is the reading of the clocks when they were last trusted. The next run of a
// hub since the same boot of the machine detects by it whether they have stepped
// meanwhile.
type Remembered struct {
	// Boot names the start of the machine, from which Elapsed counts.
	Boot    string        `json:"boot"`
	Elapsed time.Duration `json:"elapsed"`
	// Hub and Database are what their clocks showed at Elapsed.
	Hub      time.Time `json:"hub"`
	Database time.Time `json:"database"`
}

// drift is the share of a pause by which uncorrected clocks may differ after it.
const drift = 5000

// remember compares the first sample with the stored reading, if that is of this boot of
// the machine.
func (c *Clock) remember(r *Remembered) {
	if r != nil && r.Boot != "" && r.Boot == c.o.Boot {
		c.judge.remembered = &sample{elapsed: r.Elapsed, hub: r.Hub, database: r.Database}
	}
}

// Remembered is the reading of the clocks when they were last trusted; ok is false before
// the first heartbeat, or where boots cannot be identified.
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
