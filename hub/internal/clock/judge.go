package clock

import "time"

const (
	// tolerance is the size of ordinary clock corrections, which are ignored.
	tolerance = 5 * time.Second
	// stable is how long clocks must agree until they are trusted again.
	stable = 30 * time.Second
)

// sample is the reading of three clocks at one moment.
type sample struct {
	// elapsed is the time that has truly passed since some moment.
	elapsed time.Duration
	// hub is the wall clock of this hub, and database that of the database.
	hub, database time.Time
	// trip is how long the question took: the database's time may be off by half of it.
	trip time.Duration
}

// base is the reading of the clocks at elapsed time zero.
type base struct{ hub, database time.Time }

func (s sample) base() base { return base{s.hub.Add(-s.elapsed), s.database.Add(-s.elapsed)} }

// judge compares samples. It is pure: it reads no clock.
type judge struct {
	seen bool
	// remembered is a sample of an earlier run; nil if there is none.
	remembered *sample
	last       base // of the last sample
	trusted    base // of the last sample that was not in doubt
	// doubt is set while the clocks are not trusted; since is its last step.
	doubt bool
	since time.Duration
	// by is how far the database's clock has stepped over the doubt that is to end; zero if
	// it is within what is tolerated.
	by time.Duration
}

// look takes a sample and reports whether a doubt has begun, and whether one may end.
func (j *judge) look(s sample) (begun, settled bool) {
	now, slack := s.base(), tolerance
	if !j.seen {
		j.seen, j.last, j.trusted = true, now, now
		if j.remembered == nil {
			return false, false
		}
		slack += max(0, (s.elapsed-j.remembered.elapsed)/drift)
		j.last, j.trusted = j.remembered.base(), j.remembered.base()
	}
	hub, database := now.hub.Sub(j.last.hub), now.database.Sub(j.last.database)
	if apart(hub, slack) || apart(database, slack+s.trip/2) {
		begun = !j.doubt
		j.doubt, j.since = true, s.elapsed
	}
	j.last = now
	if !j.doubt {
		j.trusted = now
		return begun, false
	}
	j.by = now.database.Sub(j.trusted.database)
	if !apart(j.by, tolerance) {
		j.by = 0
	}
	return begun, s.elapsed-j.since >= stable
}

// believe ends a doubt.
func (j *judge) believe() { j.doubt, j.trusted, j.by = false, j.last, 0 }

func apart(d, most time.Duration) bool { return d > most || d < -most }
