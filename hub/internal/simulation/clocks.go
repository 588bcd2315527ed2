package simulation

import (
	"context"
	"fmt"
	"time"
)

// Defect is a fault that is planted into the replicas, to see that the simulation finds it.
type Defect string

// forgets: a replica's newer token sets are not compared with the database.
const forgets Defect = "forgets"

// steps are the sizes of the steps of clocks.
var steps = []time.Duration{2 * time.Minute, 1000 * time.Second, 2 * time.Hour}

// stepClocks steps the database's clock, that of a replica, or all together, forward, back,
// and to where they belong.
func (w *World) stepClocks(end time.Time) {
	if w.o.Defect == forgets { // a backup is put back only by the clock that it was made by
		return
	}
	for n := 0; ; n++ {
		nth := fmt.Sprint(n)
		<-time.After(w.fate.between(time.Minute, 9*time.Minute, "clocks step", nth))
		if !time.Now().Before(end) {
			return
		}
		to := steps[int(w.fate.roll("by", nth)*float64(len(steps)))]
		switch r := w.fate.roll("way", nth); {
		case r < 0.3:
			to = 0
		case r < 0.65:
			to = -to
		}
		which := w.replicas[int(w.fate.roll("whose clock", nth)*float64(len(w.replicas)))]
		who := w.fate.roll("who steps", nth)
		if who < 0.45 || who > 0.8 {
			w.databaseOff.Store(int64(to))
		}
		for _, r := range w.replicas {
			if who > 0.8 || who >= 0.45 && r == which {
				r.wallOff.Store(int64(to))
			}
		}
		w.mu.Lock()
		w.steps++
		w.mu.Unlock()
	}
}

// databaseNow is what the database takes for the time.
func (w *World) databaseNow() time.Time { return time.Now().Add(time.Duration(w.databaseOff.Load())) }

func (r *replica) off() time.Duration { return time.Duration(r.wallOff.Load()) }

// beaten returns the function that receives the database's time.
func (r *replica) beaten(l *life) func(ctx context.Context, database, asked, answered time.Time) {
	return func(ctx context.Context, database, asked, answered time.Time) {
		l.clock.Beaten(ctx, database, asked, answered)
		if now, ok := l.clock.Remembered(); ok {
			r.remembered.Store(&now)
		}
	}
}

// elapsed is the time since the machines of the world were started.
func (w *World) elapsed() time.Duration { return time.Since(w.begun) }
