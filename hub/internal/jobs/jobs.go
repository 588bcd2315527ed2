package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/evergrant/evergrant/hub/internal/store"
)

// Periodic is work that is done every so often by one of the replicas.
type Periodic struct {
	// Name is unique and stays the same over versions.
	Name string
	// Every is the time between two runs, at least a second. A run that fails is
	// tried again until the next one is due.
	Every time.Duration
	// Do must be safe to do twice.
	Do func(ctx context.Context) error
}

// Options of Start.
type Options struct {
	Store    *store.Store
	Periodic []Periodic
	Logger   hclog.Logger
	// Replica names this hub in the job tables.
	Replica string
}

// Times of the engine.
const (
	// A run is cancelled after this time, and rescued some time later.
	runTimeout  = 45 * time.Second
	rescueAfter = time.Minute
	// How often jobs are polled beside LISTEN. There is no LISTEN on SQLite, and its jobs
	// are not urgent.
	pollPostgres = 5 * time.Second
	pollSQLite   = 10 * time.Second
	workers      = 4
	// migrationLock lets replicas that start together migrate one by one.
	migrationLock = 0x65766772
	connections   = 4
)

// Jobs are running. Stop ends them.
type Jobs struct {
	stop  func(ctx context.Context) error
	list  func(ctx context.Context, params *river.JobListParams) (*river.JobListResult, error)
	close func()
}

// Start begins to do background work.
func Start(ctx context.Context, o Options) (*Jobs, error) {
	config := o.config()
	if writer := o.Store.SQLiteWriter(); writer != nil {
		config.FetchPollInterval = pollSQLite
		return begin(ctx, riversqlite.New(writer), config, func() {})
	}
	pool, err := openPool(ctx, o.Store.PostgresConfig())
	if err != nil {
		return nil, fmt.Errorf("start the background work: %w", err)
	}
	held, err := pool.Acquire(ctx)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("start the background work: %w", err)
	}
	if _, err = held.Exec(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err == nil {
		err = migrate(ctx, riverpgxv5.New(pool))
		_, _ = held.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
	}
	held.Release()
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("bring the tables of the background work up to date: %w", err)
	}
	jobs, err := run(ctx, riverpgxv5.New(pool), config, pool.Close)
	if err != nil {
		pool.Close()
	}
	return jobs, err
}

func openPool(ctx context.Context, connection *pgx.ConnConfig) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig("")
	if err != nil {
		return nil, err
	}
	config.ConnConfig, config.MaxConns = connection, connections
	return pgxpool.NewWithConfig(ctx, config)
}

// begin migrates and runs, for the database that has one hub.
func begin(ctx context.Context, driver riverdriver.Driver[*sql.Tx], config *river.Config, closing func()) (*Jobs, error) {
	if err := migrate(ctx, driver); err != nil {
		return nil, fmt.Errorf("bring the tables of the background work up to date: %w", err)
	}
	return run(ctx, driver, config, closing)
}

func migrate[T any](ctx context.Context, driver riverdriver.Driver[T]) error {
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func run[T any](ctx context.Context, driver riverdriver.Driver[T], config *river.Config, closing func()) (*Jobs, error) {
	client, err := river.NewClient(driver, config)
	if err != nil {
		return nil, fmt.Errorf("prepare the background work: %w", err)
	}
	// It ends by Stop, not with the context of the start.
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, fmt.Errorf("start the background work: %w", err)
	}
	stop := func(ctx context.Context) error {
		err := client.Stop(ctx)
		if err != nil && ctx.Err() != nil {
			// What runs still is given back, for another replica or the next start.
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			err = client.StopAndCancel(last)
		}
		return err
	}
	return &Jobs{stop: stop, list: client.JobList, close: closing}, nil
}

// Stop lets what runs finish until ctx ends, then gives it back.
func (j *Jobs) Stop(ctx context.Context) error {
	defer j.close()
	return j.stop(ctx)
}

func (o Options) config() *river.Config {
	work := make(map[string]func(context.Context) error, len(o.Periodic))
	periodic := make([]*river.PeriodicJob, 0, len(o.Periodic))
	for _, p := range o.Periodic {
		work[p.Name] = p.Do
		periodic = append(periodic, river.NewPeriodicJob(river.PeriodicInterval(p.Every), func() (river.JobArgs, *river.InsertOpts) {
			// Unique by period, so that a new leader does not begin anew.
			return periodicArgs{Name: p.Name}, &river.InsertOpts{MaxAttempts: 5, UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: p.Every}}
		}, &river.PeriodicJobOpts{RunOnStart: true}))
	}
	registered := river.NewWorkers()
	river.AddWorker(registered, &worker{work: work, log: o.Logger})
	return &river.Config{
		ID: o.Replica, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}}, Workers: registered,
		PeriodicJobs: periodic, JobTimeout: runTimeout, RescueStuckJobsAfter: rescueAfter, FetchPollInterval: pollPostgres,
		Logger: slog.New(&handler{log: o.Logger}), ErrorHandler: &troubles{log: o.Logger},
	}
}

// periodicArgs is one run of periodic work.
type periodicArgs struct {
	Name string `json:"name"`
}

// Kind implements river.JobArgs.
func (periodicArgs) Kind() string { return "periodic" }

type worker struct {
	river.WorkerDefaults[periodicArgs]
	work map[string]func(context.Context) error
	log  hclog.Logger
}

// Work implements river.Worker. Work that this version does not know is another
// version's, or is not done any more.
func (w *worker) Work(ctx context.Context, job *river.Job[periodicArgs]) error {
	do, ok := w.work[job.Args.Name]
	if !ok {
		w.log.Debug("unknown periodic job skipped", "work", job.Args.Name)
		return nil
	}
	return do(ctx)
}

// troubles logs what fails; River tries it again.
type troubles struct{ log hclog.Logger }

// HandleError implements river.ErrorHandler.
func (t *troubles) HandleError(_ context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	t.log.Warn("job failed, retrying", "kind", job.Kind, "attempt", job.Attempt, "error", err)
	return nil
}

// HandlePanic implements river.ErrorHandler.
func (t *troubles) HandlePanic(_ context.Context, job *rivertype.JobRow, value any, _ string) *river.ErrorHandlerResult {
	t.log.Error("job panicked, retrying", "kind", job.Kind, "attempt", job.Attempt, "panic", fmt.Sprint(value))
	return nil
}
