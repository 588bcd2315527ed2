package incident

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/changes"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// How long changes are debounced, and how often incidents are reconciled without one.
const (
	debounce  = time.Second
	lookEvery = 30 * time.Second
)

// Watch keeps the incidents up to date until ctx ends. news is called when one has
// begun or is over.
func Watch(ctx context.Context, s *store.Store, notifier *changes.Notifier, news func(), log hclog.Logger) {
	subscription := notifier.Subscribe()
	defer subscription.Close()
	for {
		if reconcile(ctx, s, log) {
			news()
		}
		select {
		case <-ctx.Done():
			return
		case <-subscription.Ready():
			subscription.Take()
		case <-time.After(lookEvery):
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(debounce):
		}
	}
}

func reconcile(ctx context.Context, s *store.Store, log hclog.Logger) (news bool) {
	opened, closed, err := Reconcile(ctx, s, time.Now())
	if err != nil {
		if ctx.Err() == nil {
			log.Warn("reconcile incidents failed, retrying", "error", err)
		}
		return false
	}
	for _, i := range opened {
		log.Warn("incident opened", "cause", i.Cause, "affected", i.Affected, "code", i.Code, "message", i.Message)
	}
	for _, i := range closed {
		log.Info("incident closed", "cause", i.Cause, "most_affected", i.MostAffected, "lasted", i.ClosedAt.Sub(i.OpenedAt).Round(time.Second))
	}
	return len(opened)+len(closed) > 0
}
