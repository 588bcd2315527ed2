package simulation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
)

// Report is what came of a world.
type Report struct {
	Seed  uint64
	Tally Tally
	Pulls Pulls
	// Lost are the grants that ended although the protocol allowed to keep them, with
	// what is known of each.
	Lost []string
	// Deaths and Damages count what happened to replicas and journals.
	Deaths, Damages int
}

// String is the closing line of a world.
func (r *Report) String() string {
	var troubles []string
	for t, n := range r.Tally.Troubles {
		troubles = append(troubles, fmt.Sprintf("%s %d", t, n))
	}
	slices.Sort(troubles)
	return fmt.Sprintf("seed %d: %d renewals, %d lost, %d excused, %d stale of %d pulls, %d deaths, %d damaged journals; %s",
		r.Seed, r.Tally.Renewals, len(r.Lost), r.Tally.Excused, len(r.Pulls.Stale), r.Pulls.Served, r.Deaths, r.Damages, strings.Join(troubles, ", "))
}

// pull has processes pull tokens until the end, from any replica that lives, and tries
// each at the authority.
func (w *World) pull(ctx context.Context, end time.Time) {
	for n := 0; time.Now().Before(end); n++ {
		nth := fmt.Sprint(n)
		<-time.After(w.fate.between(time.Second, 4*time.Second, "pause", nth))
		r := w.replicas[int(w.fate.roll("replica", nth)*float64(len(w.replicas)))]
		l := r.alive()
		if l == nil {
			continue
		}
		name := w.names[int(w.fate.roll("name", nth)*float64(len(w.names)))]
		pulled, err := l.source.Token(ctx, name, time.Minute, tokensource.UsualWait)
		now := time.Now()
		w.mu.Lock()
		switch {
		case err == nil && w.authority.Accepts(name, pulled.Connection.Tokens.AccessToken, now):
			w.pulls.Served++
		case err == nil && w.ended(name):
			w.pulls.Refused++ // the grant ended, of which the hub knows nothing yet
		case err == nil:
			w.pulls.Stale = append(w.pulls.Stale, fmt.Sprintf("%s got %s from %s at %s", name, pulled.Connection.Tokens.AccessToken, r.name, stamp(now)))
		default:
			w.pulls.Refused++
		}
		w.mu.Unlock()
	}
}

func (w *World) ended(name string) bool {
	w.authority.mu.Lock()
	defer w.authority.mu.Unlock()
	return w.authority.grants[name].ended != ""
}

// settle starts whoever is dead and waits until nothing is uncertain any more.
func (w *World) settle(ctx context.Context) error {
	for _, r := range w.replicas {
		if r.alive() == nil {
			if err := r.start(ctx, w.o.Box); err != nil {
				return err
			}
		}
	}
	<-time.After(time.Hour)
	return w.check(ctx, w.replicas[0].alive())
}

// report holds the end against what the authority knows. A grant that lives at the
// authority has to live at the hub as well.
func (w *World) report() *Report {
	r := &Report{Seed: w.o.Seed, Tally: w.authority.Tally(), Pulls: w.pulls}
	for _, g := range w.authority.grants {
		if g.ended != "" && !g.excused {
			r.Lost = append(r.Lost, fmt.Sprintf("%s: %s\n%s", g.name, g.ended, w.lines.about(g.name)))
		}
	}
	slices.Sort(r.Lost)
	for _, of := range w.history.deaths {
		r.Deaths += len(of)
	}
	for _, of := range w.history.damages {
		r.Damages += len(of)
	}
	return r
}

// check looks at every connection while a replica lives.
func (w *World) check(ctx context.Context, l *life) error {
	var errs []error
	for _, name := range w.names {
		c, err := l.store.ConnectionByName(ctx, name)
		if err != nil {
			return err
		}
		if w.ended(name) {
			continue
		}
		if c.State != connection.StateActive || !w.authority.Accepts(name, c.Tokens.AccessToken, time.Now()) {
			errs = append(errs, fmt.Errorf("%s lives at the authority and is %s here, generation %d\n%s", name, c.Phase(), c.Generation, w.lines.about(name)))
		}
	}
	return errors.Join(errs...)
}
