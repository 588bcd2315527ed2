package simulation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
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
	// Clones counts the data folders that were copied in use and started, Steps the steps
	// of clocks, and Restores the databases that went back.
	Clones, Steps, Restores int
}

// String is the closing line of a world.
func (r *Report) String() string {
	var troubles []string
	for t, n := range r.Tally.Troubles {
		troubles = append(troubles, fmt.Sprintf("%s %d", t, n))
	}
	slices.Sort(troubles)
	return fmt.Sprintf("seed %d: %d renewals, %d lost, %d excused, %d stale of %d pulls, %d deaths, %d damaged journals, %d clones, %d restores, %d steps of clocks; %s",
		r.Seed, r.Tally.Renewals, len(r.Lost), r.Tally.Excused, len(r.Pulls.Stale), r.Pulls.Served, r.Deaths, r.Damages, r.Clones, r.Restores, r.Steps, strings.Join(troubles, ", "))
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
		if w.ended(name) || w.forgotten(ctx, l, name) {
			w.authorize(ctx, l, name)
			continue
		}
		pulled, err := l.source.Token(ctx, name, time.Minute, tokensource.UsualWait)
		now := time.Now()
		over := err == nil && (w.ended(name) || w.unknown(pulled.Connection))
		w.mu.Lock()
		switch {
		case err == nil && w.authority.Accepts(name, pulled.Connection.Tokens.AccessToken, now):
			w.pulls.Served++
		case over:
			w.pulls.Refused++ // the grant ended, of which the hub knows nothing yet
		case err == nil:
			w.pulls.Stale = append(w.pulls.Stale, fmt.Sprintf("%s got %s from %s at %s", name, pulled.Connection.Tokens.AccessToken, r.name, stamp(now)))
		default:
			w.pulls.Refused++
		}
		w.mu.Unlock()
	}
}

// authorize has a person bring back a grant that has ended, once the hub knows that it
// has. What was lost stays on the record.
func (w *World) authorize(ctx context.Context, l *life, name string) {
	c, err := l.store.Grants.ConnectionByName(ctx, name)
	if err != nil || c.State != connection.StateEnded {
		return
	}
	now := l.source.Now()
	access, refresh := w.authority.Grant(name)
	token := provider.Token{AccessToken: access, RefreshToken: refresh, ExpiresIn: new(w.o.Life)}
	granted := c.Granted(now, now, token, provider.Account{}, nil)
	if err := l.store.Grants.UpdateConnection(ctx, granted, c); err != nil {
		w.authority.revoke(name)
	}
	w.grantedAs(granted)
}

// grantedAs notes the lineage of a grant.
func (w *World) grantedAs(c connection.Connection) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lineages[c.Name] = c.Lineage
}

// forgotten reports whether the hub has given up a grant that is over, and the database
// does not hold the one that a person has made since.
func (w *World) forgotten(ctx context.Context, l *life, name string) bool {
	c, err := l.store.Grants.ConnectionByName(ctx, name)
	return err == nil && c.State == connection.StateEnded && w.unknown(c)
}

func (w *World) ended(name string) bool {
	w.authority.mu.Lock()
	defer w.authority.mu.Unlock()
	return w.authority.grants[name].ended != ""
}

// settle starts the replicas that do not run and waits until no connection is uncertain.
func (w *World) settle(ctx context.Context) error {
	for _, r := range w.replicas {
		if r.alive() == nil {
			if err := r.start(ctx, w.o.Box); err != nil {
				return err
			}
		}
	}
	<-time.After(time.Hour)
	w.check(ctx, w.replicas[0].alive())
	return nil
}

// report holds the end against what the authority knows. A grant that lives at the
// authority has to live at the hub as well.
func (w *World) report() *Report {
	r := &Report{Seed: w.o.Seed, Tally: w.authority.Tally(), Pulls: w.pulls, Clones: w.cloned, Steps: w.steps, Restores: len(w.history.restores)}
	r.Lost = slices.Concat(w.authority.lost, w.unheld)
	for _, of := range w.history.deaths {
		r.Deaths += len(of)
	}
	for _, of := range w.history.damages {
		r.Damages += len(of)
	}
	return r
}

// check pulls every token that there must be; a grant that lives at the authority and of
// which the hub has none is lost as well. Troubles go on, so it may take a while.
func (w *World) check(ctx context.Context, l *life) {
	for _, name := range w.names {
		for tries := 0; !w.ended(name); tries++ {
			if w.forgotten(ctx, l, name) {
				w.authorize(ctx, l, name)
			}
			pulled, err := l.source.Token(ctx, name, 0, time.Minute)
			if err == nil && w.authority.Accepts(name, pulled.Connection.Tokens.AccessToken, time.Now()) {
				break
			}
			if tries == 60 {
				w.unheld = append(w.unheld, fmt.Sprintf("%s lives at the authority, and there is no token of it: %v\n%s", name, err, w.lines.about(name)))
				break
			}
			<-time.After(time.Minute)
		}
	}
}
