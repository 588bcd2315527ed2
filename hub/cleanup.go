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
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/jobs"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
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
	devicesKept  = 24 * time.Hour // after their codes expired
)

// periodicWork is what one of the replicas does every so often.
func periodicWork(s *store.Store, d *data.Data, b *bulk.Runner, c *catalogue.Catalogue, x *connections.Connections, backups *backup.Schedule, cfg Config) []jobs.Periodic {
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

// RunPeriodic does a periodic work now, whatever its time.
func (h *Hub) RunPeriodic(ctx context.Context, name string) error {
	for _, work := range periodicWork(h.store, h.acts.data, h.bulk, h.catalogue, h.connections, h.backups, h.cfg) {
		if work.Name == name {
			return work.Do(ctx)
		}
	}
	return errors.New("there is no periodic work " + name)
}

// cleanUp removes what nothing depends on any more. One failure does not keep it from
// the rest.
func cleanUp(ctx context.Context, s *store.Store, cfg Config, now time.Time) error {
	_, err := s.Authorizations.DeleteExpiredAuthorizations(ctx, now)
	if cfg.Audit.Keep > 0 {
		_, pruned := s.Audit.PruneAudit(ctx, now.Add(-cfg.Audit.Keep))
		err = errors.Join(err, pruned)
	}
	_, summed := audit.SumPulls(ctx, s, now)
	history := grantdb.HistoryBounds{Count: cfg.History.KeepCount, Before: now.Add(-cfg.History.KeepAge)}
	return errors.Join(err, summed, s.People.DeleteExpiredSessions(ctx, now), s.Authorizations.DeleteOldGrantLinks(ctx, now), s.Authorizations.DeleteOldDevices(ctx, now.Add(-devicesKept)), s.Bulk.DeleteOldBulkRuns(ctx, now.Add(-bulkKept)),
		s.People.DeleteOldPeopleRows(ctx, now, now.Add(-sessionsKept)), s.Grants.PruneHistory(ctx, history), s.Grants.PruneEvents(ctx, now.Add(-eventsKept)),
		s.Stats.PruneRenewalHours(ctx, now.Add(-hoursKept)), escalation.NewPlanner(s).EndOldNotices(ctx, now), s.Notices.PruneEscalations(ctx, now.Add(-eventsKept)), s.Replicas.PruneReplicas(ctx, replicasKept, eventsKept),
		s.Notices.PruneServiceRequests(ctx, now.Add(-requestsKept)), s.Services.PruneFrontUses(ctx, now.Add(-frontKept)), s.People.PruneTries(ctx))
}
