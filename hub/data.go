package hub

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/identity"
	"github.com/evergrant/evergrant/hub/internal/restored"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// AdoptData requests the hub of a configuration, running or not, to adopt its data folder
// as the only one. It is for SQLite: on PostgreSQL a copied folder becomes a new replica
// by itself.
func AdoptData(cfg Config) error {
	file := sqliteFile(cfg)
	if file == "" {
		return errors.New("there is nothing to adopt: hubs on PostgreSQL tell a copied data folder by its epoch and go on as new replicas")
	}
	return identity.AskToAdopt(cfg.DataDir, file)
}

// sqliteFile is the file of the database; "" on PostgreSQL.
func sqliteFile(cfg Config) string {
	return store.Options{URL: cfg.Database.URL, DataDir: cfg.DataDir}.File()
}

// checkData looks whether the data folder looks copied.
func (h *Hub) checkData(ctx context.Context) (err error) {
	h.data, err = identity.CheckData(ctx, identity.DataOptions{
		Store: h.store, Logger: h.log.Named("data"), Dir: h.cfg.DataDir, File: sqliteFile(h.cfg), Moves: h.cfg.Data.Moves,
	})
	return err
}

// beaten is called for each heartbeat.
func (h *Hub) beaten(ctx context.Context, database, asked, answered time.Time) {
	h.clock.Beaten(ctx, database, asked, answered)
	h.rememberClocks(ctx)
	if err := h.data.Look(ctx); err != nil {
		h.log.Warn("adopt data folder failed, retrying", "error", err)
	}
}

// held returns what keeps the renewal of a connection on hold, beside the clock.
func (h *Hub) held(c connection.Connection) connection.CauseKind {
	if c.Policy.Rotates() && h.data.Suspected() {
		return connection.CauseCopied
	}
	return h.hold.Holds(c)
}

// heldBy returns the causes that keep renewals on hold, for the metrics.
func (h *Hub) heldBy() map[string]bool {
	_, doubt := h.clock.Doubt()
	return map[string]bool{
		string(connection.CauseClock): doubt, string(connection.CauseCopied): h.data.Suspected(), string(connection.CauseRestored): h.hold.Held(),
	}
}

// clockOffset is how far the database's clock is ahead of this hub's, for the metrics.
func (h *Hub) clockOffset() time.Duration {
	ahead, _ := h.clock.Offset()
	return ahead
}

// newHold makes what holds rotating renewals after the database went back.
func (h *Hub) newHold() *restored.Hold {
	return restored.New(restored.Options{
		Store: h.store, Newest: h.newest, Identity: h.identity, Logger: h.log.Named("restore"), Wait: h.cfg.Data.CompareWait,
	})
}

// noticed is called for the notices of this hub's identity while it runs.
func (h *Hub) noticed(n identity.Notice) {
	if n.Kind == identity.DatabaseBack && h.hold != nil {
		h.hold.Notice()
	}
}

// compared passes the result of the comparison at the start to the hold.
func (h *Hub) compared(ctx context.Context) error {
	return h.hold.Entered(ctx, restored.Parts{Compare: h.source.Compare, Publish: h.withdrawn.Publish}, h.source.Found())
}
