package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/jobs"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/statsdb"
)

const (
	// statsFor is how long what was read is shown again, at least; where the reading
	// takes long, it is shown statsShare times as long as that took.
	statsFor   = 10 * time.Second
	statsShare = 30
	// statsTimeout bounds the reading: a scrape must not hang on the database.
	statsTimeout = 5 * time.Second
)

// Stats collects the stats of connections. They are the same on every replica.
type Stats struct {
	store *store.Store
	// unfinished counts the background jobs that are not done, by state.
	unfinished func(ctx context.Context) (map[string]int, error)
	log        hclog.Logger

	mu    sync.Mutex
	until time.Time // what was read is shown
	has   bool
	last  statsdb.Stats
	// lastJobs is nil if the jobs could not be counted.
	lastJobs map[string]int
}

// NewStats returns a Stats. unfinished counts the background jobs that are not done, by
// state.
func NewStats(st *store.Store, unfinished func(ctx context.Context) (map[string]int, error), log hclog.Logger) *Stats {
	return &Stats{store: st, unfinished: unfinished, log: log}
}

var (
	connections = describe("connections", "Connections by how they stand; the same on every replica.", "status")
	expiring    = describe("tokens_expiring", "Access tokens of active connections that expire within a time from now, renewed before that or not; expired is those that have.", "within")
	soonest     = describe("token_expiry_soonest_seconds", "Time until the first access token of an active connection expires; negative if it has.")
	persons     = describe("persons_needed", "Connections that stop working within a time from now unless a person authorizes them again.", "within")
	overdue     = describe("renewals_overdue", "Connections whose renewal was due more than a minute ago.")
	oldest      = describe("renewal_overdue_seconds", "Time for which the renewal that is due longest has been due; 0 if none is.")
	bulkItems   = describe("bulk_items", "Connections that acts on many connections have still to come to.")
	jobCounts   = describe("jobs", "Background jobs that are not done, by state.", "state")
)

// within are the times that Stats counts by.
var within = []struct {
	name string
	time time.Duration
}{
	{"1m", time.Minute}, {"10m", 10 * time.Minute}, {"1h", time.Hour}, {"1d", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}, {"30d", 30 * 24 * time.Hour},
}

// Describe implements prometheus.Collector.
func (s *Stats) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{connections, expiring, soonest, persons, overdue, oldest, bulkItems, jobCounts} {
		to <- d
	}
}

// Collect implements prometheus.Collector. While the database is unavailable there are no
// series; evergrant_ready shows that.
func (s *Stats) Collect(to chan<- prometheus.Metric) {
	now := time.Now()
	at, unfinished, ok := s.current(now)
	if !ok {
		return
	}
	for _, status := range connection.Statuses {
		to <- gauge(connections, float64(at.ByStatus[status]), string(status))
	}
	to <- gauge(expiring, float64(at.Expired), "expired")
	for i, w := range within {
		to <- gauge(expiring, float64(at.Expiring[i]), w.name)
		if w.time >= 24*time.Hour {
			to <- gauge(persons, float64(at.Persons[i]), w.name)
		}
	}
	if !at.Soonest.IsZero() {
		to <- gauge(soonest, at.Soonest.Sub(now).Seconds())
	}
	to <- gauge(overdue, float64(at.Overdue))
	age := 0.0
	if !at.OldestDue.IsZero() {
		age = max(0, now.Sub(at.OldestDue).Seconds())
	}
	to <- gauge(oldest, age)
	to <- gauge(bulkItems, float64(at.BulkItems))
	if unfinished == nil {
		return
	}
	for _, state := range jobs.States {
		to <- gauge(jobCounts, float64(unfinished[state]), state)
	}
}

// current reads at intervals; concurrent scrapes share the result.
func (s *Stats) current(now time.Time) (statsdb.Stats, map[string]int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Before(s.until) {
		return s.last, s.lastJobs, s.has
	}
	times := make([]time.Duration, len(within))
	for i, w := range within {
		times[i] = w.time
	}
	ctx, cancel := context.WithTimeout(context.Background(), statsTimeout)
	defer cancel()
	last, err := s.store.Stats.Stats(ctx, now, times)
	if err != nil {
		s.log.Warn("read connection stats for scrape failed", "error", err)
	}
	s.has, s.last = err == nil, last
	if s.lastJobs, err = s.unfinished(ctx); err != nil {
		s.lastJobs = nil
		s.log.Warn("count background jobs for scrape failed", "error", err)
	}
	s.until = now.Add(max(statsFor, statsShare*time.Since(now)))
	return s.last, s.lastJobs, s.has
}
