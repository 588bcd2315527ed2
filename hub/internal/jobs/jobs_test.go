package jobs_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/jobs"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

func start(t *testing.T, s *store.Store, replica string, periodic ...jobs.Periodic) *jobs.Jobs {
	t.Helper()
	j, err := jobs.Start(t.Context(), jobs.Options{Store: s, Periodic: periodic, Logger: hclog.NewNullLogger(), Replica: replica})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func stop(t *testing.T, j *jobs.Jobs) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := j.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestPeriodicWorkIsDoneAndTriedAgainWhenItFails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		done := make(chan struct{}, 100)
		var attempts atomic.Int32
		j := start(t, s, "one", jobs.Periodic{Name: "sweep", Every: time.Hour, Do: func(context.Context) error {
			if attempts.Add(1) == 1 {
				return errors.New("the database is away")
			}
			done <- struct{}{}
			return nil
		}})
		waittest.For(t, "the second attempt", done)
		stop(t, j)
		if n := attempts.Load(); n != 2 {
			t.Errorf("%d attempts in an hour's period", n)
		}
	})
}

func TestOneOfManyReplicasDoesPeriodicWorkAndAnotherGoesOn(t *testing.T) {
	s := storetest.Open(t, storetest.Postgres(t))
	did := map[string]chan struct{}{"one": make(chan struct{}, 100), "two": make(chan struct{}, 100)}
	either := make(chan struct{}, 200)
	var running, together atomic.Int32
	sweep := func(replica string) jobs.Periodic {
		return jobs.Periodic{Name: "sweep", Every: 2 * time.Second, Do: func(context.Context) error {
			if running.Add(1) > 1 {
				together.Add(1)
			}
			defer running.Add(-1)
			did[replica] <- struct{}{}
			either <- struct{}{}
			return nil
		}}
	}
	one, two := start(t, s, "one", sweep("one")), start(t, s, "two", sweep("two"))
	waittest.For(t, "the first run", either)
	waittest.For(t, "the second run", either)
	stop(t, one)
	for len(did["two"]) > 0 {
		<-did["two"]
	}
	waittest.For(t, "a run after the first replica has gone", did["two"])
	stop(t, two)
	if together.Load() > 0 {
		t.Error("two replicas did the same work at the same time")
	}
}

func TestAStopLetsWorkFinish(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		begun, mayEnd := make(chan struct{}), make(chan struct{})
		var finished atomic.Bool
		j := start(t, s, "one", jobs.Periodic{Name: "long", Every: time.Hour, Do: func(context.Context) error {
			close(begun)
			<-mayEnd
			finished.Store(true)
			return nil
		}})
		waittest.For(t, "the work has begun", begun)
		stopped := make(chan struct{})
		go func() {
			stop(t, j)
			close(stopped)
		}()
		close(mayEnd)
		waittest.For(t, "the stop", stopped)
		if !finished.Load() {
			t.Error("the stop did not wait for the work")
		}
	})
}
