package jobs_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/jobs"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

func TestJobsThatAreNotDoneAreCountedByState(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		running, done := make(chan struct{}), make(chan struct{})
		j := start(t, s, "one", jobs.Periodic{Name: "long", Every: time.Hour, Do: func(ctx context.Context) error {
			close(running)
			select {
			case <-done:
			case <-ctx.Done():
			}
			return nil
		}})
		waittest.For(t, "the work", running)
		counts, err := j.Unfinished(t.Context())
		if err != nil || counts["running"] != 1 {
			t.Errorf("%v, %v while one runs", counts, err)
		}
		for state := range counts {
			if !slices.Contains(jobs.States, state) {
				t.Errorf("it counts the state %s, which States does not name", state)
			}
		}
		close(done)
		stop(t, j)
	})
}
