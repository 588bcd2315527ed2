package hub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/app/keys"
	"github.com/evergrant/evergrant/hub/internal/app/services"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/backup"
	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/changes"
	"github.com/evergrant/evergrant/hub/internal/clock"
	"github.com/evergrant/evergrant/hub/internal/config"
	"github.com/evergrant/evergrant/hub/internal/definitions"
	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/identity"
	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/jobs"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/keyring"
	"github.com/evergrant/evergrant/hub/internal/metrics"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/restored"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/testcall"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/web"
	"github.com/evergrant/evergrant/hub/internal/withdrawn"
)

// Hub is a running hub.
type Hub struct {
	cfg     config.Config
	version string
	log     hclog.Logger

	box      *seal.Box
	store    *store.Store
	journal  *journal.Journal
	identity *identity.Identity
	backups  *backup.Schedule
	clock    *clock.Clock
	// clocks is what is noted of clocks for the next run; the signs of life use it.
	clocks      clock.Remembered
	data        *identity.Data
	certificate *certificate // nil without TLS
	withdrawn   *withdrawn.Tail
	sender      *egress.Sender
	testCalls   *testcall.Caller
	limiter     *endpoint.Limiter
	changes     changes.Notifier
	jobs        *jobs.Jobs
	plugins     *pluginhost.Host
	audit       *audit.Log
	pulls       *audit.Pulls
	installer   *installer.Installer
	definitions *definitions.Definitions
	acts        acts
	access      *access.Access
	catalogue   *catalogue.Catalogue
	exchanger   *exchange.Exchanger
	keyring     *keyring.Keyring
	newest      *newest.Keeper
	hold        *restored.Hold
	source      *tokensource.Source
	flow        *authflow.Flow
	bulk        *bulk.Runner
	recorder    *act.Recorder
	connections *connections.Connections
	grants      *grants.Grants
	services    *services.Services
	hourly      *metrics.HourlyStats
	escalates   *escalation.Escalation
	counts      *metrics.Counts
	messages    *metrics.Messages
	registry    *metrics.Registry
	traces      traceExport
	readiness   readiness

	startedAt time.Time
	listener  net.Listener
	server    *http.Server
	front     atomic.Pointer[http.Handler] // what answers now
	engine    *gin.Engine
	pages     *web.Pages
	// scrapes serves metrics on an address of its own; nil without one.
	scrapes   *http.Server
	scrapesAt net.Addr
	work      sync.WaitGroup
	stopped   sync.Once
	// schedule runs the scheduler until stopWork; failed carries a server that ended by itself.
	schedule func()
	stopWork context.CancelFunc
	// life ends with the signs of life of this run, which stopBeats ends.
	life      context.Context
	stopBeats context.CancelFunc
	failed    chan error
	// ending is closed when the server begins to stop: streams end then.
	ending chan struct{}
}

// Options are what the command line adds to the configuration.
type Options struct {
	Logger  hclog.Logger
	Version string
}

// Start runs a hub until Stop. It returns once requests are served: the key is
// read, the database migrated, plugins described, the journal replayed. A database that is
// away or starting is waited for as long as ctx lasts; meanwhile /healthz answers, and
// everything else that the hub is not ready.
func Start(ctx context.Context, cfg Config, o Options) (*Hub, error) {
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	h := &Hub{startedAt: time.Now(), cfg: cfg, version: o.Version, log: o.Logger, failed: make(chan error, 1), ending: make(chan struct{}), stopWork: func() {}}
	if err := h.start(ctx); err != nil {
		h.Stop(context.WithoutCancel(ctx))
		return nil, err
	}
	return h, nil
}

// Run is Start, then Stop when ctx ends or the server fails. ready is called
// when requests are served; optional.
func Run(ctx context.Context, cfg Config, o Options, ready func(*Hub)) error {
	h, err := Start(ctx, cfg, o)
	if err != nil && ctx.Err() != nil {
		return nil // it was stopped while it started
	}
	if err != nil {
		return err
	}
	if ready != nil {
		ready(h)
	}
	select {
	case <-ctx.Done():
		err = nil
	case err = <-h.failed:
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.ShutdownTimeout)
	defer cancel()
	h.Stop(stop)
	return err
}

func (h *Hub) start(ctx context.Context) error {
	if err := h.openCertificate(); err != nil {
		return err
	}
	// Listen first: a hub without its port must not change anything.
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", h.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s (is another program there? choose another with EVERGRANT_LISTEN): %w", h.cfg.Listen, err)
	}
	h.listener = listener
	if h.cfg.PublicURL == "" {
		h.cfg.PublicURL = addressOf(listener.Addr(), h.cfg.TLS.CertFile != "")
	}
	if err := h.observe(ctx); err != nil {
		return err
	}
	if err := h.openStores(ctx); err != nil {
		return err
	}
	if err := h.startPlugins(ctx); err != nil {
		return err
	}
	h.wire()
	if err := h.observeParts(); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{h.hold.Enter, h.startJobs, h.catalogue.Refresh, h.source.Recover, h.compared} {
		if err := h.await(ctx, step); err != nil {
			return err
		}
	}
	h.work.Go(h.schedule) // not before the leases of the last run are free
	if err := h.listenForScrapes(ctx); err != nil {
		return err
	}
	handler := h.handler()
	if err := h.checkPath(); err != nil {
		return err
	}
	h.serve(handler)
	return nil
}

// openStores opens what outlives the hub: key, database, journal, the spool of pulls.
func (h *Hub) openStores(ctx context.Context) error {
	if err := makeDataDir(h.cfg.DataDir, h.log); err != nil {
		return err
	}
	box, err := openKey(h.cfg, h.log)
	if err != nil {
		return err
	}
	err = h.await(ctx, func(ctx context.Context) (err error) {
		h.store, err = store.Open(ctx, store.Options{URL: h.cfg.Database.URL, DataDir: h.cfg.DataDir, Box: box, Logger: h.log.Named("store")})
		return err
	})
	if err != nil {
		return err
	}
	if err := h.store.Audit.KeyFits(ctx); errors.Is(err, auditdb.ErrOtherKey) {
		return fmt.Errorf("put the key back that this database was used with: %w", err)
	}
	h.store.OnChange(h.changes.Publish)
	if h.journal, err = journal.Open(filepath.Join(h.cfg.DataDir, "journal"), box, h.log.Named("journal")); err != nil {
		return err
	}
	if h.newest, err = newest.Open(h.cfg.DataDir, box, h.log.Named("newest")); err != nil {
		return err
	}
	if err := h.await(ctx, h.checkData); err != nil {
		return err
	}
	h.clock = h.newClock(ctx)
	err = h.await(ctx, func(ctx context.Context) (err error) {
		h.identity, err = identity.Enter(ctx, identity.Options{
			Store: h.store, Journal: h.journal, Name: h.cfg.ReplicaName, Version: h.version, Logger: h.log.Named("identity"),
			Beaten: h.beaten, Noticed: h.noticed,
		})
		return err
	})
	if err != nil {
		return err
	}
	h.box, h.hold = box, h.newHold()
	h.backups = h.backupSchedule(box)
	h.audit = audit.New(h.store, h.log.Named("audit"))
	h.pulls, err = audit.OpenPulls(h.store, filepath.Join(h.cfg.DataDir, "pulls"), h.log.Named("audit"))
	return err
}

func (h *Hub) startJobs(ctx context.Context) (err error) {
	h.jobs, err = jobs.Start(ctx, jobs.Options{
		Store: h.store, Periodic: periodicWork(h.store, h.acts.data, h.bulk, h.catalogue, h.connections, h.backups, h.cfg), Logger: h.log.Named("jobs"), Replica: h.identity.Owner(),
	})
	return err
}

// Stop ends the hub: no new requests, then no new renewals, then what is in
// flight, as long as ctx lasts. What is not saved by then is in the journal. A
// second call waits for the first.
func (h *Hub) Stop(ctx context.Context) { h.stopped.Do(func() { h.stop(ctx) }) }

func (h *Hub) stop(ctx context.Context) {
	if h.server != nil {
		if err := h.server.Shutdown(ctx); err != nil {
			_ = h.server.Close()
		}
	} else if h.listener != nil {
		_ = h.listener.Close()
	}
	h.stopWork()
	if h.scrapes != nil {
		_ = h.scrapes.Close()
	}
	if h.jobs != nil {
		if err := h.jobs.Stop(ctx); err != nil {
			h.log.Warn("background jobs released unfinished", "error", err)
		}
	}
	if h.backups != nil {
		h.backups.Close()
	}
	if h.bulk != nil {
		h.bulk.Close()
	}
	if h.source != nil {
		h.closeExchanges(ctx)
	}
	if h.stopBeats != nil {
		h.stopBeats() // heartbeats continue while requests are in flight
	}
	h.work.Wait()
	if h.source != nil {
		h.source.Leave()
		h.leave(ctx)
	}
	if h.plugins != nil {
		h.plugins.Stop(ctx)
	}
	if h.sender != nil {
		h.sender.Close()
	}
	var errs []error
	if h.pulls != nil {
		errs = append(errs, h.pulls.Close())
	}
	if h.newest != nil {
		errs = append(errs, h.newest.Close())
	}
	if h.journal != nil {
		errs = append(errs, h.journal.Close())
	}
	if h.store != nil {
		errs = append(errs, h.store.Close())
	}
	if err := errors.Join(errs...); err != nil {
		h.log.Warn("shutdown incomplete", "error", err)
	}
	h.traces.stop(ctx)
	h.log.Info("stopped")
}

// leave notes that this run is over, so that the next one need not wait for anything.
func (h *Hub) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := h.identity.Leave(ctx); err != nil {
		h.log.Warn("record shutdown failed; the next start detects it", "error", err)
	}
}

// closeExchanges ends the renewals and authorizations in flight. Requests that are out
// are waited for beyond ctx, each for its own budget: a reply may hold the only valid
// refresh token. A second signal does not wait.
func (h *Hub) closeExchanges(ctx context.Context) {
	closing, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	closed := make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		if out := h.exchanger.Out(); out > 0 {
			h.log.Warn("shutdown waiting for token responses; killing the process now may lose these grants", "replies", out)
			h.exchanger.Wait(closing)
		}
		select { // what has arrived is saved
		case <-closed:
		case <-time.After(saveAfterStop):
			giveUp()
			h.exchanger.Close()
		}
	})()
	h.source.Close(closing)
	h.flow.Wait()
	close(closed)
	h.exchanger.Close()
}

// saveAfterStop is how long a stop waits for replies to be saved after its own time.
const saveAfterStop = 5 * time.Second

// URL is the hub's address as people and processes use it.
func (h *Hub) URL() string { return h.cfg.PublicURL }

// Addr is the address that the hub listens on.
func (h *Hub) Addr() net.Addr { return h.listener.Addr() }

// Routes are all addresses that the hub answers.
func (h *Hub) Routes() gin.RoutesInfo { return h.engine.Routes() }

// ServeHTTP answers a request without a network, as the hub's server does.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*h.front.Load()).ServeHTTP(w, r) }

// Plugins returns the status of each plugin.
func (h *Hub) Plugins() []pluginhost.PluginStatus { return h.plugins.Plugins() }

// SetupLink makes a one-time link for the first administrator; "" if there is
// one already.
func (h *Hub) SetupLink(ctx context.Context) (string, error) {
	token, err := h.access.SetupToken(ctx)
	if err != nil || token == "" {
		return "", err
	}
	return h.cfg.PublicURL + "/setup?link=" + token, nil
}

// AdminKey makes an API key that may do everything until it expires, for
// commands that run beside the hub.
func (h *Hub) AdminKey(ctx context.Context, title string, life time.Duration) (string, error) {
	made, err := h.acts.keys.Create(act.With(ctx, act.Hub()), keys.Draft{
		Title: title, Scopes: []string{access.ScopeAdmin}, All: true, ExpiresAt: time.Now().Add(life),
	})
	return made.Secret, err
}
