package bulk

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
)

// outcomes are how a try is kept: the states of an item whose renewal worked and failed, and
// what its keys begin with.
type outcomes struct{ worked, failed, prefix string }

var (
	// stays is a row that is in use whatever its renewal has come to.
	stays = outcomes{bulkdb.BulkDone, bulkdb.BulkTroubled, "import_stays_"}
	// depends is a row that is taken up only with all others.
	depends = outcomes{bulkdb.BulkTried, bulkdb.BulkFailed, "import_no_"}
)

// tried renews what an item has become, once: one that a hub that died has renewed since it
// was imported has worked. It returns the item with what came of it.
func (r *Runner) tried(ctx context.Context, item bulkdb.BulkItem, o outcomes) bulkdb.BulkItem {
	began := boundAt(item)
	item.State, item.Message = o.worked, ""
	c, _, err := r.o.Connections.Find(ctx, which(item))
	if err != nil {
		item.State, item.Message = o.failed, message(err)
		return item
	}
	if c.Generation > began || unneeded(c) {
		return item
	}
	_, after, err := r.o.Connections.Try(ctx, which(item))
	switch failure := after.Trouble(); {
	case err != nil:
		item.State, item.Message = o.failed, refusedMessage(o.prefix, err)
	case after.Generation > began:
	case failure != nil:
		item.State, item.Message = o.failed, troubleMessage(o.prefix, failure.Kind, failure.Message)
	default:
		item.State, item.Message = o.failed, troubleMessage(o.prefix, provider.Transient, "")
	}
	return item
}

// unneeded reports whether nothing is sent to try a connection: its token is valid, and it is
// not renewed, or not before its end.
func unneeded(c connection.Connection) bool {
	now, awake := time.Now(), c.Awake()
	return c.Tokens.Valid(now) && (!awake.Renewable(now) || c.AfterExpiry())
}

// refusedMessage is why a renewal was not sent, or has no answer.
func refusedMessage(prefix string, err error) string {
	if refused, ok := errors.AsType[*tokensource.RefusedError](err); ok {
		return troubleMessage(prefix, refused.Kind, refused.Message)
	}
	return troubleMessage(prefix, provider.Internal, err.Error())
}

// troubleMessage is what a service said, by who has to act.
func troubleMessage(prefix string, kind provider.Kind, said string) string {
	who := "later"
	switch kind {
	case provider.ReauthorizationRequired, provider.Denied:
		who = "person"
	case provider.Blocked:
		who = "operator"
	case provider.Transient, provider.Internal:
	}
	return (&saidError{key: prefix + who, said: said}).Error()
}
