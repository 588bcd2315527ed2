package keys

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// ErrOpensNothing is a key of a form for which neither connections nor tags were chosen.
var ErrOpensNothing = act.Rule("a key needs at least one connection or tag, or all connections")

// Options of Keys.
type Options struct {
	Store    *store.Store
	Access   *access.Access
	Recorder *act.Recorder
}

// Keys are the acts on API keys. It is safe for concurrent use.
type Keys struct{ o Options }

// New returns Keys.
func New(o Options) *Keys { return &Keys{o: o} }

// Draft is a key to be made.
type Draft struct {
	Title  string
	Scopes []string
	// All allows every connection, future ones too; otherwise those of the names
	// Connections are allowed, and whatever has one of Tags.
	All         bool
	Connections []string
	Tags        []string
	// Addresses are IP addresses and networks from which it works; none is any.
	Addresses []string
	ExpiresAt time.Time // zero: does not expire
	// Chosen is set for what a person has chosen in a form: connections that are gone
	// meanwhile are left out, and a key needs scopes and something to open.
	Chosen bool
}

// Made is a new key.
type Made struct {
	// Secret is the key itself, which is seen this once.
	Secret string
	Key    peopledb.APIKey
	// Connections are those that it names.
	Connections []connection.Connection
	// Try is the name of a connection that it opens; empty if none is known.
	Try string
}

// Create makes a key. Errors: those of access.CreateKey, ErrOpensNothing,
// store.ErrNotFound.
func (k *Keys) Create(ctx context.Context, d Draft) (made Made, err error) {
	a := act.Act{Name: "key.add", Needs: access.ActManage, On: audit.Object{Kind: "key", Name: bounded(d.Title)}}
	err = k.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) error {
		if d.Chosen && len(d.Scopes) == 0 {
			return access.ErrScope
		}
		var err error
		if made.Connections, err = k.named(ctx, d); err != nil {
			return err
		}
		if d.Chosen && !d.All && len(made.Connections) == 0 && len(d.Tags) == 0 {
			return ErrOpensNothing
		}
		if made.Secret, made.Key, err = k.o.Access.CreateKey(ctx, draftOf(ctx, d, made.Connections)); err != nil {
			return err
		}
		e.Add("id", made.Key.ID, "scopes", strings.Join(made.Key.Scopes, " "))
		made.Try, err = k.try(ctx, d.All, made.Connections)
		return err
	})
	return made, err
}

// bounded keeps a title that is far too long out of the record.
func bounded(title string) string {
	title = strings.TrimSpace(title)
	return strings.ToValidUTF8(title[:min(len(title), 200)], "")
}

// named are the connections that a draft names.
func (k *Keys) named(ctx context.Context, d Draft) ([]connection.Connection, error) {
	if d.All || len(d.Connections) == 0 {
		return nil, nil
	}
	if d.Chosen {
		return k.o.Store.Grants.Connections(ctx, grantdb.Filter{Names: d.Connections})
	}
	var found []connection.Connection
	for _, name := range d.Connections {
		c, err := k.o.Store.Grants.ConnectionByName(ctx, name)
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, nil
}

// draftOf is a draft with its maker, who is the caller.
func draftOf(ctx context.Context, d Draft, named []connection.Connection) access.KeyDraft {
	draft := access.KeyDraft{Title: d.Title, Scopes: d.Scopes, AllConnections: d.All, Tags: d.Tags, Addresses: d.Addresses, ExpiresAt: d.ExpiresAt}
	if d.All {
		draft.Tags = nil
	}
	draft.CreatedBy, draft.Maker = maker(ctx)
	for _, c := range named {
		draft.ConnectionIDs = append(draft.ConnectionIDs, c.ID)
	}
	return draft
}

// maker is who makes a key, as it records them, and the key that does; none if a person or
// the hub does.
func maker(ctx context.Context) (by string, key peopledb.APIKey) {
	caller := act.From(ctx)
	switch {
	case caller.Key.ID != "":
		return access.MadeByKey(caller.Key.ID), caller.Key
	case caller.Kind == audit.KindHub:
		return access.MadeByHub, peopledb.APIKey{}
	}
	return caller.UserID, peopledb.APIKey{}
}

// try is the name of a connection that a key opens.
func (k *Keys) try(ctx context.Context, all bool, named []connection.Connection) (string, error) {
	if all {
		first, err := k.o.Store.Grants.Connections(ctx, grantdb.Filter{Limit: 1})
		if err != nil || len(first) == 0 {
			return "", err
		}
		return first[0].Name, nil
	}
	if len(named) == 0 {
		return "", nil
	}
	return named[len(named)-1].Name, nil
}

// Rotate makes a key with the permissions of another one, which is valid for overlap more.
// Errors: store.ErrNotFound; access.ErrBadKey if the old one has ended; access.ErrReaches.
func (k *Keys) Rotate(ctx context.Context, id string, overlap time.Duration) (made Made, err error) {
	a := act.Act{Name: "key.rotate", Needs: access.ActManage, On: audit.Object{Kind: "key", Name: id}}
	err = k.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) error {
		by, key := maker(ctx)
		var err error
		if made.Secret, made.Key, err = k.o.Access.RotateKey(ctx, id, overlap, by, key); err != nil {
			return err
		}
		e.Add("id", made.Key.ID, "title", made.Key.Title)
		if len(made.Key.ConnectionIDs) == 0 {
			return nil
		}
		c, err := k.o.Store.Grants.Connection(ctx, made.Key.ConnectionIDs[0])
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		made.Try = c.Name
		return err
	})
	return made, err
}

// Revoke revokes a key. Errors: store.ErrNotFound.
func (k *Keys) Revoke(ctx context.Context, id string) error {
	a := act.Act{Name: "key.revoke", Needs: access.ActManage, On: audit.Object{Kind: "key", Name: id}}
	return k.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) error {
		key, err := k.o.Store.People.APIKey(ctx, id)
		if err != nil {
			return err
		}
		e.Add("title", key.Title)
		return k.o.Store.People.RevokeAPIKey(ctx, id, time.Now())
	})
}

// TurnedAway records that the key of the caller does not allow an operation.
func (k *Keys) TurnedAway(ctx context.Context, operation string) {
	k.o.Recorder.TurnedAway(ctx, "operation", operation)
}
