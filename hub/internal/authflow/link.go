package authflow

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
)

// linkLife is how long a link can be followed.
const linkLife = 3 * 24 * time.Hour

// Errors of links.
var (
	// ErrLinkSpent is a link that has led to a grant, is too old, or was never ours.
	ErrLinkSpent error = refusalError("this link is spent or too old; ask for another one")
	// ErrLinkTaken is a link that another browser has followed.
	ErrLinkTaken error = refusalError("this link was followed in another browser; ask for another one")
)

// MakeLink makes a link's token by which a person without an account here authorizes a
// connection, once, in one browser. userID and by are who requested it.
func (f *Flow) MakeLink(ctx context.Context, connectionID, userID, by string) (token string, expires time.Time, err error) {
	return f.MakeLinkFor(ctx, connectionID, userID, by, linkLife)
}

// MakeLinkFor is MakeLink for a link that can be followed for another time.
func (f *Flow) MakeLinkFor(ctx context.Context, connectionID, userID, by string, life time.Duration) (token string, expires time.Time, err error) {
	now := time.Now()
	token = randtoken.New()
	l := authdb.GrantLink{
		ID: store.NewID(), Hash: randtoken.Hash(token), ConnectionID: connectionID, UserID: userID, CreatedBy: by, CreatedAt: now, ExpiresAt: now.Add(life),
	}
	return token, l.ExpiresAt, f.o.Store.Authorizations.CreateGrantLink(ctx, l)
}

// Linked is the target of a link.
type Linked struct {
	Link       authdb.GrantLink
	Connection connection.Connection
	Service    service.Service
}

// Link returns the target of a link's token. It changes nothing, because messengers open
// links before people do. Errors: ErrLinkSpent.
func (f *Flow) Link(ctx context.Context, token string) (*Linked, error) {
	l, err := f.o.Store.Authorizations.GrantLink(ctx, randtoken.Hash(token), time.Now())
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrLinkSpent
	}
	if err != nil {
		return nil, err
	}
	c, err := f.o.Store.Grants.Connection(ctx, l.ConnectionID)
	if err != nil {
		return nil, err
	}
	svc, err := f.o.Store.Services.Service(ctx, c.ServiceID)
	return &Linked{Link: l, Connection: c, Service: svc}, err
}

// LinkReturn is where an authorization that a link began returns to; it is no page of
// ours.
const LinkReturn = "/grant/done"

// FollowLink begins the authorization of a link, in the browser of the secret. Errors:
// ErrLinkSpent, ErrLinkTaken, those of Start.
func (f *Flow) FollowLink(ctx context.Context, token, browser, lang string) (*Linked, *Started, error) {
	linked, err := f.Link(ctx, token)
	if err != nil {
		return nil, nil, err
	}
	if err := f.o.Store.Authorizations.BindGrantLink(ctx, linked.Link.ID, randtoken.Hash(browser)); err != nil {
		if errors.Is(err, store.ErrInUse) {
			return linked, nil, ErrLinkTaken
		}
		return linked, nil, err
	}
	started, err := f.Start(ctx, StartRequest{ConnectionID: linked.Connection.ID, UserID: linked.Link.UserID, Browser: browser, ReturnTo: LinkReturn, Lang: lang})
	return linked, started, err
}
