package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/store"
)

// flushEvery is how long counts are gathered. Those of a hub that dies are lost: they
// are for a chart, and the audit record has what must not be.
const flushEvery = 10 * time.Second

// Hours counts how renewals ended, by hour. It is safe for concurrent use.
type Hours struct {
	store *store.Store
	log   hclog.Logger

	mu     sync.Mutex
	counts map[hourOf]int // bounded: some outcomes an hour, until they are in the database
}

type hourOf struct {
	hour    int64 // Unix hours
	outcome string
}

// NewHours returns an empty Hours.
func NewHours(st *store.Store, log hclog.Logger) *Hours {
	return &Hours{store: st, log: log, counts: map[hourOf]int{}}
}

// Renewed counts a renewal that ended now; outcome as in store.RenewalHour.
func (h *Hours) Renewed(outcome string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts[hourOf{now.Unix() / 3600, outcome}]++
}

// Run adds the counts to the database until ctx ends, and once more then.
func (h *Hours) Run(ctx context.Context) {
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
func (h *Hours) Flush(ctx context.Context) {
	h.mu.Lock()
	taken := h.counts
	h.counts = map[hourOf]int{}
	h.mu.Unlock()
	if len(taken) == 0 {
		return
	}
	add := make([]store.RenewalHour, 0, len(taken))
	for k, n := range taken {
		add = append(add, store.RenewalHour{Hour: time.Unix(k.hour*3600, 0), Outcome: k.outcome, N: n})
	}
	err := h.store.AddRenewals(ctx, add)
	if err == nil {
		return
	}
	h.log.Debug("how renewals ended could not be counted yet", "error", err)
	h.mu.Lock()
	defer h.mu.Unlock()
	for k, n := range taken {
		h.counts[k] += n
	}
}
