package hub

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/evergrant/evergrant/hub/internal/store"
)

// Between tries of a database that is away at the start.
const (
	awaitFirst = 250 * time.Millisecond
	awaitMost  = 5 * time.Second
	// awaitSaid is how often the wait is logged.
	awaitSaid = time.Minute
)

// await tries until the database is there. Meanwhile requests are answered that the hub
// is not ready. It fails with what another try would not mend, and when ctx ends.
func (h *Hub) await(ctx context.Context, try func(context.Context) error) error {
	var said time.Time
	pauses := backoff.ExponentialBackOff{InitialInterval: awaitFirst, Multiplier: 2, MaxInterval: awaitMost}
	for {
		err := try(ctx)
		if ctx.Err() != nil && err != nil {
			return fmt.Errorf("stopped while waiting for the database: %w", ctx.Err())
		}
		if !store.Away(err) {
			if err == nil && !said.IsZero() {
				h.log.Info("database available, continuing startup")
			}
			return err
		}
		if time.Since(said) >= awaitSaid {
			said = time.Now()
			h.log.Warn("database unavailable, waiting; requests get 503 until it answers", "listen", h.Addr().String(), "error", err)
		}
		h.serve(waiting())
		timer := time.NewTimer(pauses.NextBackOff())
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		case err := <-h.failed:
			timer.Stop()
			return err
		}
	}
}

// waiting is what a hub answers that has no database yet.
func waiting() http.Handler {
	mux := http.NewServeMux()
	answer := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			if status == http.StatusServiceUnavailable {
				w.Header().Set("Retry-After", "5")
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
		}
	}
	mux.Handle("/healthz", answer(http.StatusOK, "ok\n"))
	mux.Handle("/readyz", answer(http.StatusServiceUnavailable, "database: the database cannot be reached\n"))
	mux.Handle("/", answer(http.StatusServiceUnavailable, "Evergrant waits for its database and answers as soon as that is there.\n"))
	return mux
}
