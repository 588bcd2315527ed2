package catalogue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// originOf is a digest of the token that an import brings, by which it is known when it is
// imported again; "" for one that brings none. Tokens are random, so it reveals nothing.
// What a person chose, a password say, could be guessed from a digest, and has none.
func originOf(svc service.Service, in Import) string {
	token := in.Grant.RefreshToken
	if token == "" {
		token = in.Grant.AccessToken
	}
	if token == "" || len(in.Fields) > 0 {
		return ""
	}
	sum := sha256.Sum256([]byte("evergrant import\x00" + svc.ID + "\x00" + token))
	return hex.EncodeToString(sum[:16])
}

// putBackKept takes the grant that was made of the same token out of the trash, as the
// import has it called. put is false if there is none. Errors: *InvalidError if a connection
// that is in use was made of the token, which is spent then.
func (c *Catalogue) putBackKept(ctx context.Context, conn connection.Connection, in Import, origin string) (_ connection.Connection, put bool, err error) {
	kept, found, err := c.keptOf(ctx, origin)
	if err != nil || !found {
		return conn, false, err
	}
	restored, err := c.PutBack(ctx, kept.ID, conn.Name)
	if err != nil {
		return restored, false, err
	}
	if err = c.store.Grants.RenameConnection(ctx, restored.ID, conn.Title); err != nil {
		return restored, false, err
	}
	restored, err = c.change(ctx, restored.ID, func(now connection.Connection) connection.Connection {
		now = now.Resumed(time.Now()).WithOptions(time.Now(), conn.Options)
		if in.Held {
			now = now.Paused(time.Now())
		}
		return now
	})
	return restored, err == nil, err
}

// keptOf finds a grant in the trash that was made of a token, by its origin, and has a newer
// one. Errors: *InvalidError if the connection is in use.
func (c *Catalogue) keptOf(ctx context.Context, origin string) (_ connection.Connection, found bool, err error) {
	if origin == "" {
		return connection.Connection{}, false, nil
	}
	kept, err := c.store.Grants.ImportedFrom(ctx, origin)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return kept.Connection, false, nil
	case err != nil:
		return kept.Connection, false, err
	case kept.Trashed:
		found, err = c.hasNewer(ctx, kept)
	case kept.Policy.Rotates():
		err = importedBefore(kept.Name)
	}
	return kept.Connection, found, err
}

// Expect is the connection that an import would make, and its service; nothing is stored. A
// grant that was imported before is as it is by now. Errors: those of Import.
func (c *Catalogue) Expect(ctx context.Context, in Import) (connection.Connection, service.Service, error) {
	svc, err := c.store.Services.ServiceByName(ctx, in.Service)
	if err != nil {
		return connection.Connection{}, svc, err
	}
	conn, err := Incoming(svc, in, time.Now())
	if err != nil {
		return conn, svc, err
	}
	if _, err = c.store.Grants.ConnectionByName(ctx, conn.Name); err == nil {
		return conn, svc, taken()
	}
	if !errors.Is(err, store.ErrNotFound) {
		return conn, svc, err
	}
	kept, found, err := c.keptOf(ctx, originOf(svc, in))
	if found {
		return kept, svc, err
	}
	return conn, svc, err
}

// hasNewer reports whether a grant in the trash is to be used instead of the token that it
// was imported from: it was renewed since, or its token was sent and what came of that is
// not known. One whose token the service refused, or that was given back, has nothing newer.
func (c *Catalogue) hasNewer(ctx context.Context, kept grantdb.Imported) (bool, error) {
	if !kept.Granting() {
		return false, nil
	}
	if kept.Generation > kept.First || kept.State != connection.StateEnded {
		return true, nil
	}
	_, err := c.store.Renewals.OpenIntent(ctx, kept.ID)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func importedBefore(name string) error {
	invalid := &InvalidError{}
	invalid.add("grant", "This grant was imported before, as "+name+". The hub has its newer tokens; what you have is spent.",
		"Этот доступ уже импортирован как "+name+". Его новые токены у хаба, а ваши уже израсходованы.")
	return invalid
}
