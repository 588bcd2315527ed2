package hub

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
)

// ErrNotDetached reports that a database is no detached copy.
var ErrNotDetached = store.ErrNotFound

// Detach makes the configured database a detached copy: hubs on it renew and send
// nothing, revoke nothing at a service and start no authorization; running hubs detect it
// within seconds. by is who detached it.
func Detach(ctx context.Context, cfg Config, by string) error {
	return store.Detach(ctx, store.Options{URL: cfg.Database.URL, DataDir: cfg.DataDir}, store.Detachment{At: time.Now().UTC(), By: by})
}

// Attach ends Detach: hubs renew and send from then on, and have to be restarted to take
// up what their journals hold. Errors: ErrNotDetached.
func Attach(ctx context.Context, cfg Config) error {
	return store.Attach(ctx, store.Options{URL: cfg.Database.URL, DataDir: cfg.DataDir})
}
