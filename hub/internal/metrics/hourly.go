package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/statsdb"
)

// flushEvery is how often counts are written. Those of a hub that crashes are lost: they
// are for a chart, and the audit record has the acts themselves.
const flushEvery = 10 * time.Second

// HourlyStats counts how renewals ended, by hour. It is safe for concurrent use.
type HourlyStats struct {
	store *store.Store
	log   hclog.Logger

	mu     sync.Mutex
	counts map[hourlyKey]int // bounded: some outcomes an hour, until they are in the database
}

type hourlyKey struct {
	hour    int64 // Unix hours
	outcome string
}

// NewHourlyStats returns an empty HourlyStats.
func NewHourlyStats(st *store.Store, log hclog.Logger) *HourlyStats {
	return &HourlyStats{store: st, log: log, counts: map[hourlyKey]int{}}
}

// Renewed counts a renewal that ended now; outcome as in store.RenewalHour.
func (h *HourlyStats) Renewed(outcome string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts[hourlyKey{now.Unix() / 3600, outcome}]++
}

// Run adds the counts to the database until ctx ends, and once more then.
func (h *HourlyStats) Run(ctx context.Context) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			h.Flush(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			h.Flush(last)
			return
		}
	}
}

// Flush adds what was counted; what could not be added is counted on.
func (h *HourlyStats) Flush(ctx context.Context) {
	h.mu.Lock()
	taken := h.counts
	h.counts = map[hourlyKey]int{}
	h.mu.Unlock()
	if len(taken) == 0 {
		return
	}
	add := make([]statsdb.RenewalHour, 0, len(taken))
	for k, n := range taken {
		add = append(add, statsdb.RenewalHour{Hour: time.Unix(k.hour*3600, 0), Outcome: k.outcome, N: n})
	}
	err := h.store.Stats.AddRenewals(ctx, add)
	if err == nil {
		return
	}
	h.log.Debug("flush hourly renewal stats failed, retrying", "error", err)
	h.mu.Lock()
	defer h.mu.Unlock()
	for k, n := range taken {
		h.counts[k] += n
	}
}
