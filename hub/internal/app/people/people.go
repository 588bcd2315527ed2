package people

import (
	"context"
	"errors"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// Options of People.
type Options struct {
	Store    *store.Store
	Access   *access.Access
	Recorder *act.Recorder
	// Passkeys are those of the hub's address.
	Passkeys *access.Passkeys
	// OIDC is the sign-in service; nil without one. JoinAs is the role of people who
	// were not invited; empty refuses them.
	OIDC   *access.OIDC
	JoinAs string
}

// People are the acts of people. It is safe for concurrent use.
type People struct{ o Options }

// New returns People. It records what is withdrawn with a person who leaves
// (access.OnLeft).
func New(o Options) *People {
	p := &People{o: o}
	o.Access.OnLeft(p.left)
	return p
}

// person names a person in a record.
func person(login string) audit.Object { return audit.Object{Kind: "person", Name: login} }

// self is what a signed-in person does with themselves.
func self(ctx context.Context, a act.Act) act.Act {
	a.Needs, a.On = access.ActSelf, person(act.From(ctx).Name)
	return a
}

// me is the person who is signed in. Errors: act.ErrNotAllowed without one.
func (p *People) me(ctx context.Context) (peopledb.User, error) {
	id := act.From(ctx).UserID
	if id == "" {
		return peopledb.User{}, act.ErrNotAllowed
	}
	return p.o.Store.People.User(ctx, id)
}

// uncounted leaves out of the record what was not checked: a try that the throttle turned
// away, or whose browser has gone.
func uncounted(ctx context.Context, err error) bool {
	_, tooMany := errors.AsType[*access.TooManyError](err)
	return tooMany || ctx.Err() != nil
}

// checked is for the preparation of an act: it leaves out of the record what was not
// checked.
func checked(ctx context.Context, e *act.Entry, err error) error {
	if err != nil && uncounted(ctx, err) {
		e.Unchanged()
	}
	return err
}
