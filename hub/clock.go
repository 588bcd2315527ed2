package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/internal/clock"
)

// newClock makes the hub's clock, which follows the database's, and compares with what the
// last run has noted of clocks.
func (h *Hub) newClock(ctx context.Context) *clock.Clock {
	o := clock.Options{Logger: h.log.Named("clock"), Elapsed: clock.Boot(), Boot: clock.BootID(), Move: (&moving{h: h}).step}
	noted, err := h.newest.Mark(ctx, clocksMark)
	if err == nil && noted != "" {
		err = json.Unmarshal([]byte(noted), &h.clocks)
		o.Remembered = &h.clocks
	}
	if err != nil {
		h.log.Warn("read clock state of the last run failed, a clock step since then goes undetected", "error", err)
	}
	return clock.New(o)
}

// clocksMark is the file in the data folder with the reading of the clocks when they were
// last trusted.
const clocksMark = "clocks"

// rememberClocks notes for the next run what clocks say, where that is news.
func (h *Hub) rememberClocks(ctx context.Context) {
	now, ok := h.clock.Remembered()
	if !ok || h.clocks.Same(now) {
		return
	}
	data, err := json.Marshal(now)
	if err == nil {
		err = h.newest.SetMark(ctx, clocksMark, string(data))
	}
	if err != nil {
		h.log.Warn("save clock state failed, retrying", "error", err)
		return
	}
	h.clocks = now
}

// errMoving reports that dates are being moved.
var errMoving = errors.New("dates are being moved")

// moving moves dates after the database's clock stepped, beside the signs of life: there
// may be many.
type moving struct {
	h *Hub

	mu      sync.Mutex
	running bool
	done    time.Duration // what was moved by; 0 if nothing was
}

func (m *moving) step(_ context.Context, by time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.done != 0 && !m.running {
		m.done = 0
		return nil
	}
	if !m.running {
		m.running = true
		m.h.work.Go(func() { m.move(by) })
	}
	return errMoving
}

func (m *moving) move(by time.Duration) {
	n, err := m.h.store.Replicas.MoveDates(m.h.life, by)
	if err == nil {
		m.h.log.Warn("database clock stepped, stored times moved", "by", by, "rows", n)
	} else {
		m.h.log.Warn("move stored times after a clock step failed, retrying", "error", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running = false; err == nil {
		m.done = by
	}
}

// clockTrusted fails while the clocks are not trusted.
func (h *Hub) clockTrusted() error {
	d, doubt := h.clock.Doubt()
	if !doubt {
		return nil
	}
	return fmt.Errorf("since they were last believed this hub's clock has stepped by %s and the database's by %s",
		d.Hub.Round(time.Second), d.Database.Round(time.Second))
}
