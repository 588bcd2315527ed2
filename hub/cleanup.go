package hub

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/jobs"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// How long is kept what nothing depends on any more.
const (
	cleanUpEvery = 10 * time.Minute
	historyKept  = 30 * 24 * time.Hour
	eventsKept   = 400 * 24 * time.Hour
	sessionsKept = 100 * 24 * time.Hour
	hoursKept    = 400 * 24 * time.Hour
)

// periodicWork is what one of the replicas does every so often.
// auditKept is how long it is known who did what; 0 is for ever.
func periodicWork(s *store.Store, b *bulk.Runner, auditKept time.Duration) []jobs.Periodic {
	return []jobs.Periodic{{Name: "bulk", Every: time.Minute, Do: b.Resume}, {Name: "clean-up", Every: cleanUpEvery, Do: func(ctx context.Context) error {
		now := time.Now()
		_, err := s.DeleteExpiredAuthorizations(ctx, now)
		if auditKept > 0 {
			_, pruned := s.PruneAudit(ctx, now.Add(-auditKept))
			err = errors.Join(err, pruned)
		}
		return errors.Join(err, s.DeleteExpiredSessions(ctx, now), s.DeleteOldGrantLinks(ctx, now), s.DeleteOldBulkRuns(ctx, now.Add(-historyKept)), s.DeleteOldPeopleRows(ctx, now, now.Add(-sessionsKept)), s.PruneHistory(ctx, now.Add(-historyKept)), s.PruneEvents(ctx, now.Add(-eventsKept)),
			s.PruneRenewalHours(ctx, now.Add(-hoursKept)), s.PruneEscalations(ctx, now.Add(-eventsKept)))
	}}}
}
