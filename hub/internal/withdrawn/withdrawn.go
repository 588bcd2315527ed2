// Package withdrawn detects withdrawals that a restore of the database has undone: keys
// that were revoked, people who were removed or disabled, grants that were revoked. The
// file of newest token sets in the data folder keeps a tail of such acts, which a restore
// of the database does not affect.
//
// Watch receives every audit record and Gone every revoked grant, and they record them.
// List compares the tail with the database, and Again repeats a withdrawal that was
// undone.
package withdrawn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
)

// Options of a Tail.
type Options struct {
	Store     *store.Store
	Newest    *newest.Keeper
	Catalogue *catalogue.Catalogue
	// Replica names this hub to people.
	Replica string
	Logger  hclog.Logger
}

// Tail is what this replica has recorded as withdrawn. It is safe for concurrent use.
type Tail struct{ o Options }

// New returns a Tail.
func New(o Options) *Tail { return &Tail{o: o} }

// The acts that withdraw something, as the audit record has them.
const (
	KeyRevoked        = "key.revoke"
	PersonRemoved     = "person.remove"
	PersonDisabled    = "person.disable"
	ConnectionRevoked = "connection.revoke"
	ConnectionDeleted = "connection.delete"
)

// undone are acts that make a withdrawal void.
var undone = map[string]string{"person.enable": PersonDisabled, "person.invite": PersonRemoved}

// Watch notes an act that withdraws something. What cannot be noted is in the log: the
// act has happened.
func (t *Tail) Watch(ctx context.Context, r auditdb.AuditRecord) {
	var err error
	switch {
	case r.Act == KeyRevoked, r.Act == PersonRemoved, r.Act == PersonDisabled:
		err = t.o.Newest.Withdrew(ctx, newest.Withdrawal{At: r.At, Act: r.Act, Kind: r.ObjectKind, Object: r.Object})
	case undone[r.Act] != "":
		err = errors.Join(t.o.Newest.NotWithdrawn(ctx, newest.Withdrawal{Act: undone[r.Act], Kind: r.ObjectKind, Object: r.Object}),
			t.o.Store.Replicas.ForgetWithdrawal(ctx, undone[r.Act], r.ObjectKind, r.Object))
	}
	if err != nil {
		t.o.Logger.Error("record withdrawal failed; a database restore would undo it unnoticed", "act", r.Act, "object", r.Object, "error", err)
	}
}

// Gone notes a grant that was given back and a connection that was deleted, and takes the
// note back if the connection is taken out of the trash. The newest token set is dropped
// once nothing can put it back.
func (t *Tail) Gone(ctx context.Context, c connection.Connection, how catalogue.Gone) {
	revoked := newest.Withdrawal{At: time.Now(), Act: ConnectionRevoked, Kind: "connection", Object: c.Name}
	deleted := revoked
	deleted.Act = ConnectionDeleted
	var err error
	switch how {
	case catalogue.GoneRevoked:
		err = errors.Join(t.o.Newest.Withdrew(ctx, revoked), t.o.Newest.Drop(ctx, c.ID))
	case catalogue.GoneTrashed: // which comes behind a revocation, and is all that counts
		err = errors.Join(t.o.Newest.NotWithdrawn(ctx, revoked), t.o.Newest.Withdrew(ctx, deleted))
	case catalogue.GoneBack:
		err = errors.Join(t.o.Newest.NotWithdrawn(ctx, deleted), t.o.Store.Replicas.ForgetWithdrawal(ctx, ConnectionDeleted, "connection", c.Name))
		if c.State == connection.StateRevoked {
			err = errors.Join(err, t.o.Newest.Withdrew(ctx, revoked))
		}
	case catalogue.GoneDeleted: // the note is of the time when it was deleted: its name may be another one's
		err = t.o.Newest.Drop(ctx, c.ID)
	}
	if err != nil {
		t.o.Logger.Error("record withdrawal failed; a database restore would undo it unnoticed", "act", string(how), "object", c.Name, "error", err)
	}
}

// Item is something that was withdrawn and is back.
type Item struct {
	newest.Withdrawal

	// ID is the row's, Title what people call it.
	ID, Title string
}

// List is what replicas know to have been withdrawn and the database holds all the same,
// oldest first: what this replica's own tail has, and what the others have published.
func (t *Tail) List(ctx context.Context) ([]Item, error) {
	all, err := t.o.Newest.Withdrawals(ctx, time.Time{})
	if err != nil {
		return nil, err
	}
	published, err := t.o.Store.Replicas.PublishedWithdrawals(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range published {
		all = merged(all, newest.Withdrawal{At: p.At, Act: p.Act, Kind: p.Kind, Object: p.Object})
	}
	slices.SortStableFunc(all, func(a, b newest.Withdrawal) int { return a.At.Compare(b.At) })
	return t.allBack(ctx, all)
}

// merged adds a withdrawal, or keeps the later one of the same object.
func merged(all []newest.Withdrawal, w newest.Withdrawal) []newest.Withdrawal {
	i := slices.IndexFunc(all, func(x newest.Withdrawal) bool { return x.Act == w.Act && x.Kind == w.Kind && x.Object == w.Object })
	switch {
	case i < 0:
		return append(all, w)
	case all[i].At.Before(w.At):
		all[i] = w
	}
	return all
}

// Publish writes the undone withdrawals of this replica's tail to the database, for all
// replicas. It is called after the database went back.
func (t *Tail) Publish(ctx context.Context) error {
	all, err := t.o.Newest.Withdrawals(ctx, time.Time{})
	if err != nil {
		return err
	}
	back, err := t.allBack(ctx, all)
	if err != nil || len(back) == 0 {
		return err
	}
	published := make([]replicadb.Withdrawal, len(back))
	for i, b := range back {
		published[i] = replicadb.Withdrawal{Act: b.Act, Kind: b.Kind, Object: b.Object, At: b.At, PublishedBy: t.o.Replica}
	}
	t.o.Logger.Warn("database restore undid withdrawals; repeat them with `evergrant data withdraw` or in the web hub", "things", len(back))
	return t.o.Store.Replicas.PublishWithdrawals(ctx, published)
}

func (t *Tail) allBack(ctx context.Context, all []newest.Withdrawal) ([]Item, error) {
	back := []Item{}
	for _, w := range all {
		item, found, err := t.back(ctx, w)
		if err != nil {
			return nil, fmt.Errorf("look whether %s is back: %w", w.Object, err)
		}
		if found {
			back = append(back, item)
		}
	}
	return back, nil
}

// back looks whether what was withdrawn is in the database again. What was made after its
// withdrawal is another thing of the same name.
func (t *Tail) back(ctx context.Context, w newest.Withdrawal) (i Item, found bool, err error) {
	i = Item{Withdrawal: w}
	switch w.Act {
	case KeyRevoked:
		k, err := t.o.Store.People.APIKey(ctx, w.Object)
		i.ID, i.Title = k.ID, k.Title
		return i, err == nil && k.RevokedAt.IsZero(), unlessGone(err)
	case PersonRemoved, PersonDisabled:
		u, err := t.o.Store.People.UserByLogin(ctx, w.Object)
		i.ID, i.Title = u.ID, u.Login
		return i, err == nil && u.CreatedAt.Before(w.At) && (w.Act == PersonRemoved || u.DisabledAt.IsZero()), unlessGone(err)
	case ConnectionRevoked, ConnectionDeleted:
		c, err := t.o.Store.Grants.ConnectionByName(ctx, w.Object)
		i.ID, i.Title = c.ID, c.Title
		if w.Act == ConnectionDeleted {
			return i, err == nil && c.CreatedAt.Before(w.At), unlessGone(err)
		}
		return i, err == nil && c.Granting() && c.AuthorizedAt.Before(w.At), unlessGone(err)
	}
	return i, false, nil
}

func unlessGone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// Again withdraws again something that List has found, and drops it from the list. What
// is gone meanwhile is no error.
func (t *Tail) Again(ctx context.Context, i Item) error {
	if err := unlessGone(t.withdraw(ctx, i)); err != nil {
		return err
	}
	return t.o.Store.Replicas.ForgetWithdrawal(ctx, i.Act, i.Kind, i.Object)
}

// Asks reports whether Again asks a service, and so cannot be rolled back.
func (i Item) Asks() bool { return i.Act == ConnectionRevoked || i.Act == ConnectionDeleted }

func (t *Tail) withdraw(ctx context.Context, i Item) error {
	switch i.Act {
	case KeyRevoked:
		return t.o.Store.People.RevokeAPIKey(ctx, i.ID, i.At)
	case PersonRemoved:
		return t.o.Store.People.RemoveUser(ctx, i.ID, access.RoleOwner)
	case PersonDisabled:
		_, err := t.o.Store.People.ChangeUser(ctx, i.ID, access.RoleOwner, func(u *peopledb.User) error {
			u.DisabledAt, u.UpdatedAt = i.At, time.Now()
			return nil
		})
		return errors.Join(err, t.o.Store.People.EndUserSessions(ctx, i.ID, "", ""))
	case ConnectionDeleted:
		_, err := t.o.Catalogue.Delete(ctx, i.ID, catalogue.KeepGrant)
		return err
	case ConnectionRevoked:
		_, err := t.o.Catalogue.Revoke(ctx, i.ID)
		return err
	}
	return nil
}
