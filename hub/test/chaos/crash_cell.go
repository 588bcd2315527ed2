package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/test/chaos/authority"
)

// victim is who is killed, and who takes over.
type victim struct {
	id, title string
	postgres  bool
	run       func(context.Context, *room) (result, error)
}

var victims = []victim{
	{"restart", "The hub is killed and started again", false, hubRestarts},
	{"takeover", "The hub is killed for good; another replica takes over", true, replicaTakesOver},
	{"return", "The hub is killed; another replica waits; the hub comes back", true, ownerReturns},
	{"plugin", "The plugin is killed", false, pluginDies},
	{"pluginless", "The hub is killed, comes back without its plugin, and later with it", false, pluginReturns},
}

// fate is what became of a grant.
type fate string

const (
	kept  fate = "kept"
	tried fate = "uncertain, then tried: kept"
	ended fate = "uncertain, then tried: ended"
	lost  fate = "LOST"
)

// result is a cell with what became of it.
type result struct {
	cell
	fate fate
	// took is from the death to the next token set, or to the end of the grant.
	took  time.Duration
	tally tally
}

// expected is what the protocol and the provider's declaration allow.
func (c cell) expected() fate {
	gone := slices.Contains([]string{crashpoint.RequestWritten, crashpoint.ReplyReceived}, c.step)
	switch {
	case !c.unsafe() || c.who.id == "plugin":
		return kept
	case gone, c.step == crashpoint.Journaled && c.who.id == "takeover":
		return ended // the only reply that holds the live refresh token died with its hub
	case c.who.id == "takeover" && c.step == crashpoint.AfterIntent:
		return tried // nothing was sent, but only the dead hub knows
	default:
		return kept
	}
}

// allows reports whether a fate is what is expected. A reply that is parsed may have
// been copied to the database by then, or not yet.
func (c cell) allows(f fate) bool {
	mayBeCopied := c.unsafe() && c.who.id == "takeover" && c.step == crashpoint.Parsed
	return f == c.expected() || mayBeCopied && f == ended
}

// runCell plays a cell and judges it.
func (m *matrix) runCell(ctx context.Context, c cell) result {
	ctx, cancel := context.WithTimeout(ctx, cellTimeout(m.stage))
	defer cancel()
	r, err := m.furnish(ctx, c)
	if err != nil {
		return c.broken(err)
	}
	got, err := c.who.run(ctx, r)
	if err != nil {
		return c.broken(err)
	}
	got.cell = c
	if !c.allows(got.fate) {
		got.tally.problem("crash: %s: the grant is %s, expected: %s", c.connection(), got.fate, c.expected())
		if c.expected() != ended {
			got.tally.lost++
		}
	}
	if got.fate == ended && c.allows(ended) {
		got.tally.declared++
	}
	return got
}

func (c cell) broken(err error) result {
	r := result{cell: c, fate: lost}
	r.tally.problem("crash: %s: %v", c.connection(), err)
	return r
}

// over is set once a connection has a new token set, or can have none.
func over(v view) bool { return v.Generation > 1 || v.Status == "needs_authorization" }

// crash starts replica 0 with a step armed and returns when it is dead.
func (r *room) crash(ctx context.Context, more ...string) (*hubProcess, error) {
	h, err := r.start(ctx, 0, r.step, more...)
	if err != nil {
		return nil, err
	}
	return h, h.killed(ctx)
}

// hubRestarts: the journal and the intent are there when the hub comes back.
func hubRestarts(ctx context.Context, r *room) (result, error) {
	dead, err := r.crash(ctx)
	if err != nil {
		return result{}, err
	}
	again, err := r.start(ctx, 0, "")
	if err != nil {
		return result{}, err
	}
	defer again.kill()
	return r.settled(ctx, again, dead.ended, kept)
}

// replicaTakesOver: the other replica has the intent, but not the journal.
func replicaTakesOver(ctx context.Context, r *room) (result, error) {
	dead, err := r.crash(ctx, "EVERGRANT_RENEWAL_TAKEOVER="+cellTakeover(r.m.stage).String())
	if err != nil {
		return result{}, err
	}
	other, err := r.start(ctx, 1, "", "EVERGRANT_RENEWAL_TAKEOVER="+cellTakeover(r.m.stage).String())
	if err != nil {
		return result{}, err
	}
	defer other.kill()
	if err := other.serves(ctx); err != nil {
		return result{}, err
	}
	v, err := r.client.await(ctx, other.url, r.connection(), func(v view) bool { return over(v) || v.uncertain() })
	if err != nil {
		return result{}, err
	}
	as := kept
	if v.uncertain() {
		as = tried
	}
	return r.settled(ctx, other, dead.ended, as)
}

// ownerReturns: the other replica must not rush while the dead one's journal may
// come back.
func ownerReturns(ctx context.Context, r *room) (result, error) {
	longTakeover := "EVERGRANT_RENEWAL_TAKEOVER=10m"
	dead, err := r.crash(ctx, longTakeover)
	if err != nil {
		return result{}, err
	}
	other, err := r.start(ctx, 1, "", longTakeover)
	if err != nil {
		return result{}, err
	}
	defer other.kill()
	if err := other.serves(ctx); err != nil {
		return result{}, err
	}
	waits := func(v view) bool { return over(v) || v.uncertain() }
	if _, err := r.client.await(ctx, other.url, r.connection(), waits); err != nil {
		return result{}, err
	}
	back, err := r.start(ctx, 0, "", longTakeover)
	if err != nil {
		return result{}, err
	}
	defer back.kill()
	return r.settled(ctx, back, dead.ended, kept)
}

// pluginDies: the hub goes on with another process of it.
func pluginDies(ctx context.Context, r *room) (result, error) {
	h, err := r.start(ctx, 0, r.step+":plugin")
	if err != nil {
		return result{}, err
	}
	defer h.kill()
	return r.settled(ctx, h, time.Now(), kept)
}

// pluginReturns: without the plugin nobody can read the journaled reply, and it
// must not be thrown away.
func pluginReturns(ctx context.Context, r *room) (result, error) {
	dead, err := r.crash(ctx)
	if err != nil {
		return result{}, err
	}
	none := filepath.Join(r.dirs[1], "plugins")
	if err := os.Mkdir(none, 0o700); err != nil {
		return result{}, err
	}
	without, err := r.start(ctx, 0, "", "EVERGRANT_PLUGINS_DIR="+none)
	if err != nil {
		return result{}, err
	}
	defer without.kill()
	if err := without.serves(ctx); err != nil {
		return result{}, err
	}
	refused := func(v view) bool { return over(v) || v.LastError != nil }
	if _, err := r.client.await(ctx, without.url, r.connection(), refused); err != nil {
		return result{}, err
	}
	without.stop()
	again, err := r.start(ctx, 0, "")
	if err != nil {
		return result{}, err
	}
	defer again.kill()
	return r.settled(ctx, again, dead.ended, kept)
}

// settled waits until the renewal is over, then proves by another one that the
// grant lives, or that it has ended as declared. as is the fate of one that
// lives.
func (r *room) settled(ctx context.Context, h *hubProcess, since time.Time, as fate) (result, error) {
	got := result{fate: as}
	if err := h.serves(ctx); err != nil {
		return got, err
	}
	v, err := r.client.await(ctx, h.url, r.connection(), over)
	if err != nil {
		return got, fmt.Errorf("%w\n%s", err, h.tail(5))
	}
	got.took = time.Since(since)
	served, err := r.client.pull(ctx, h.url, r.connection())
	if err != nil && v.Status != "needs_authorization" {
		return got, err
	}
	judged := r.m.authority.Judge(authority.FamilyOf(served.AccessToken))
	if v.Status == "needs_authorization" {
		got.fate = ended
		if judged.DoubleSpent > 1 || !r.allows(ended) {
			got.tally.problem("crash: %s: a spent refresh token was sent %d times", r.connection(), judged.DoubleSpent)
			got.tally.doubleSpent += judged.DoubleSpent
		}
		return got, nil
	}
	got.tally.doubleSpent += judged.DoubleSpent
	if !r.m.authority.Good(served.AccessToken, time.Now()) {
		got.tally.stale++
	}
	next, err := renews(ctx, r.client, h.url, r.connection())
	if err != nil || next.Generation != v.Generation+1 {
		got.fate = lost
		got.tally.problem("crash: %s: the next renewal gave %s, %v", r.connection(), next, err)
	}
	return got, nil
}
