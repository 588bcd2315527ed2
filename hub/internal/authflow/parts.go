package authflow

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// ErrMainGone is an authorization of a part whose main connection is gone.
var ErrMainGone error = provider.Errorf(provider.Blocked, "main_gone",
	"this connection is a part of the authorization of another one, which was deleted: put that one back from the trash, or add a new connection of the service and authorize it")

// Authorizes is the connection whose authorization gives a connection its grant: the main
// one of a part, else itself. Errors: ErrMainGone, of the store.
func (f *Flow) Authorizes(ctx context.Context, c connection.Connection) (connection.Connection, error) {
	if c.MainID == "" {
		return c, nil
	}
	main, err := f.o.Store.Grants.Connection(ctx, c.MainID)
	if errors.Is(err, store.ErrNotFound) {
		return main, ErrMainGone
	}
	return main, wrap("read the main connection", err)
}

// checkParts refuses a token with a part that the provider does not declare: its token set
// would have no place.
func checkParts(svc service.Service, token provider.Token) error {
	for _, p := range token.Parts {
		if !slices.ContainsFunc(svc.Description.Parts, func(x provider.Part) bool { return x.Name == p.Part }) {
			return provider.Errorf(provider.Internal, "plugin_failed", "the plugin returned the part %q of an authorization, which it does not declare", p.Part)
		}
	}
	return nil
}

// grant is a token set of an authorization, with the connection that gets it as it was read
// and as it will be.
type grant struct {
	// part is zero for the authorization's own token set.
	part     provider.Part
	was, now connection.Connection
	// fresh is set for a connection that is not there yet, trashed for one in the trash.
	fresh, trashed bool
	token          provider.Token
	account        provider.Account
	// unknown is why the service did not say whose it is; nil if it did.
	unknown error
}

// requested are the scopes that were asked for: a part's are not known apart.
func (x *grant) requested(scopes []string) []string {
	if x.part.Name != "" {
		return nil
	}
	return scopes
}

// grants are the token sets of an authorization, its own first.
type grants struct {
	all []*grant
	// missing are connections of parts that did not come.
	missing []connection.Connection
}

// grantsOf finds the connection of each token set that was got. A part is found by its main
// connection, whatever it is called by now; one that has none gets one, under a free name.
func (f *Flow) grantsOf(ctx context.Context, svc service.Service, c connection.Connection, g got) (grants, error) {
	there, err := f.o.Store.Grants.Parts(ctx, c.ID)
	if err != nil {
		return grants{}, wrap("read the connections of the parts", err)
	}
	found := grants{all: []*grant{{was: c, token: g.token, account: g.account, unknown: g.unknown[""]}}}
	for _, p := range g.token.Parts {
		i := slices.IndexFunc(svc.Description.Parts, func(x provider.Part) bool { return x.Name == p.Part })
		if i < 0 {
			continue // an offer of before the plugin was replaced
		}
		x := &grant{part: svc.Description.Parts[i], token: p.Token, account: p.Account, unknown: g.unknown[p.Part]}
		if err := f.findPart(ctx, x, c, there, g.lang); err != nil {
			return grants{}, err
		}
		found.all = append(found.all, x)
	}
	for _, p := range there {
		if !p.Trashed && !slices.ContainsFunc(found.all, func(x *grant) bool { return x.was.ID == p.ID }) {
			found.missing = append(found.missing, p.Connection)
		}
	}
	for _, x := range found.all {
		x.was.Policy = connection.PolicyOf(svc.Description, x.was.Grant)
	}
	return found, nil
}

// findPart is the connection that a part has, or a new one.
func (f *Flow) findPart(ctx context.Context, x *grant, main connection.Connection, there []grantdb.Part, lang string) error {
	for _, p := range there { // one that is not in the trash comes first
		if p.Part == x.part.Name && (x.was.ID == "" || x.trashed) {
			x.was, x.trashed = p.Connection, p.Trashed
		}
	}
	if x.was.ID != "" {
		return nil
	}
	for n := 1; ; n++ {
		name := connection.PartName(main.Name, x.part.Name, n)
		_, err := f.o.Store.Grants.ConnectionByName(ctx, name)
		if errors.Is(err, store.ErrNotFound) {
			x.was, x.fresh = main.NewPart(f.o.Clock.Now(), store.NewID(), name, x.part, lang), true
			return nil
		}
		if err != nil {
			return wrap("find a name for the part", err)
		}
	}
}

// give makes of the connections what they are with their grants. A part that is paused keeps
// the grant and stays paused.
func (g grants) give(now, asked time.Time, keyIDs map[string]string, redirectURI string, scopes []string) {
	for _, x := range g.all {
		x.now = x.was.Granted(now, asked, x.token, x.account, x.requested(scopes)).Bound(keyIDs)
		x.now.Tokens.RedirectURI = redirectURI
		if x.part.Name != "" && x.was.State == connection.StatePaused {
			x.now = x.now.Paused(now) // somebody has stopped this part, and not the main one
		}
	}
}

// finished is what was saved.
func (g grants) finished() *Finished {
	finished := &Finished{Connection: g.all[0].now, Missing: g.missing}
	for _, x := range g.all[1:] {
		finished.Parts = append(finished.Parts, x.now)
	}
	return finished
}

// write saves the grants, and what belongs to them, in one transaction. Errors:
// store.ErrStale if one of the rows has changed since it was read, of the store.
func (f *Flow) write(ctx context.Context, granted grants, saved func(ctx context.Context) error) error {
	main := granted.all[0]
	if len(granted.all) == 1 && saved == nil {
		return f.o.Store.Grants.UpdateConnection(ctx, main.now, main.was)
	}
	return f.o.Store.InTx(ctx, func(ctx context.Context) error {
		if err := f.o.Store.Grants.UpdateConnection(ctx, main.now, main.was); err != nil {
			return err
		}
		crashpoint.At(crashpoint.MainWritten)
		for _, x := range granted.all[1:] {
			if err := f.writePart(ctx, x, main.now); err != nil {
				return err
			}
		}
		if saved == nil {
			return nil
		}
		return saved(ctx)
	})
}

// writePart saves the grant of a part. What has become of its row since it was read, such as
// a move into the trash, is read again by who calls write again.
func (f *Flow) writePart(ctx context.Context, x *grant, main connection.Connection) (err error) {
	switch {
	case x.fresh:
		err = f.createPart(ctx, x.now, main)
	case x.trashed:
		err = f.o.Store.Grants.GrantTrashed(ctx, x.now, x.was)
	default:
		err = f.o.Store.Grants.UpdateConnection(ctx, x.now, x.was)
	}
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrNameTaken) {
		return store.ErrStale
	}
	return err
}

// createPart adds the connection of a part, with the tags and the owner of its main one, by
// which people are told of it in the same way.
func (f *Flow) createPart(ctx context.Context, c, main connection.Connection) error {
	if err := f.o.Store.Grants.CreateConnection(ctx, c); err != nil {
		return err
	}
	tags, err := f.o.Store.Grants.TagsOf(ctx, main.ID)
	if err == nil {
		err = f.o.Store.Grants.SetTags(ctx, c.ID, tags)
	}
	if err != nil {
		return wrap("tag the part", err)
	}
	owner, err := f.o.Store.People.Owner(ctx, main.ID)
	if err == nil && owner != "" {
		err = f.o.Store.People.SetOwner(ctx, c.ID, owner)
	}
	return wrap("give the part an owner", err)
}
