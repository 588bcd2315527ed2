package hub

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/data"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/backup"
	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/jobs"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// How long is kept what nothing depends on any more.
const (
	cleanUpEvery = 10 * time.Minute
	anchorLook   = 10 * time.Minute
	bulkKept     = 30 * 24 * time.Hour
	eventsKept   = 400 * 24 * time.Hour
	sessionsKept = 100 * 24 * time.Hour
	hoursKept    = 400 * 24 * time.Hour
	replicasKept = 7 * 24 * time.Hour
	requestsKept = 400 * 24 * time.Hour // after they were decided
	frontKept    = 2 * 24 * time.Hour
)

// periodicWork is what one of the replicas does every so often.
func periodicWork(s *store.Store, d *data.Data, b *bulk.Runner, c *catalogue.Catalogue, x *connections.Connections, backups *backup.Schedule, log *audit.Log, cfg Config) []jobs.Periodic {
	work := []jobs.Periodic{
		{Name: "bulk", Every: time.Minute, Do: b.Resume},
		{Name: "revocations", Every: time.Minute, Do: c.RetryRevocations},
		{Name: "trash", Every: time.Minute, Do: func(ctx context.Context) error {
			return x.EmptyTrash(act.With(ctx, act.Hub()), time.Now().Add(-cfg.Trash.Keep))
		}},
		{Name: "backup", Every: time.Minute, Do: backups.Look},
		{Name: "clean-up", Every: cleanUpEvery, Do: func(ctx context.Context) error { return cleanUp(ctx, s, cfg, time.Now()) }},
	}
	if cfg.Audit.Anchor != "" {
		work = append(work, jobs.Periodic{Name: "audit-anchor", Every: anchorLook, Do: func(ctx context.Context) error {
			return d.Anchor(ctx, cfg.Audit.Anchor, time.Now())
		}})
	}
	return work
}

// cleanUp removes what nothing depends on any more. One failure does not keep it from
// the rest.
func cleanUp(ctx context.Context, s *store.Store, cfg Config, now time.Time) error {
	_, err := s.DeleteExpiredAuthorizations(ctx, now)
	if cfg.Audit.Keep > 0 {
		_, pruned := s.PruneAudit(ctx, now.Add(-cfg.Audit.Keep))
		err = errors.Join(err, pruned)
	}
	_, summed := audit.SumPulls(ctx, s, now)
	history := store.HistoryBounds{Count: cfg.History.KeepCount, Before: now.Add(-cfg.History.KeepAge)}
	return errors.Join(err, summed, s.DeleteExpiredSessions(ctx, now), s.DeleteOldGrantLinks(ctx, now), s.DeleteOldBulkRuns(ctx, now.Add(-bulkKept)),
		s.DeleteOldPeopleRows(ctx, now, now.Add(-sessionsKept)), s.PruneHistory(ctx, history), s.PruneEvents(ctx, now.Add(-eventsKept)),
		s.PruneRenewalHours(ctx, now.Add(-hoursKept)), s.EndOldNotices(ctx, now), s.PruneEscalations(ctx, now.Add(-eventsKept)), s.PruneReplicas(ctx, replicasKept, eventsKept),
		s.PruneServiceRequests(ctx, now.Add(-requestsKept)), s.PruneFrontUses(ctx, now.Add(-frontKept)), s.PruneTries(ctx))
}
