package apptest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/identity"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/testcall"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Rig is the hub of a test.
type Rig struct {
	Store     *store.Store
	Access    *access.Access
	Catalogue *catalogue.Catalogue
	Flow      *authflow.Flow
	Source    *tokensource.Source
	TestCalls *testcall.Caller
	Recorder  *act.Recorder
	// Address is the service's. It answers with the HTTP status that Answer has.
	Address string
	Answer  atomic.Int32

	mu    sync.Mutex
	spent []string
}

// Spent are the refresh tokens that the service was sent, in order. One that begins with
// "dead" it refuses for good.
func (r *Rig) Spent() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.spent)
}

// answer is the HTTP status of a request.
func (r *Rig) answer(req *http.Request) int {
	refresh := req.PostFormValue("refresh_token")
	if refresh == "" {
		return int(r.Answer.Load())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spent = append(r.spent, refresh)
	if strings.HasPrefix(refresh, "dead") {
		return http.StatusGone
	}
	return int(r.Answer.Load())
}

// Each runs a test with a Rig on SQLite and on PostgreSQL.
func Each(t *testing.T, test func(t *testing.T, r *Rig)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) { test(t, newRig(t, s)) })
}

func newRig(t *testing.T, s *store.Store) *Rig {
	t.Helper()
	r := &Rig{Store: s, Access: access.New(s)}
	r.Answer.Store(http.StatusOK)
	r.Address = r.serve(t)
	host := startPlugin(t)
	j, err := journal.Open(filepath.Join(storetest.Folder(t), "journal"), storetest.Box(t), hclog.NewNullLogger())
	Must(t, err)
	sender := egress.New(egress.Options{Version: "test", Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	x, limiter := exchange.New(exchange.Options{Sender: sender}), endpoint.New(endpoint.Options{})
	runner := operation.NewRunner(operation.Options{Plugins: host, Exchanger: x, Journal: j, Limiter: limiter, Logger: hclog.NewNullLogger()})
	who, err := identity.Enter(t.Context(), identity.Options{Store: s, Journal: j})
	Must(t, err)
	r.Source = tokensource.New(tokensource.Options{Store: s, Runner: runner, Exchanger: x, Journal: j, Identity: who, Limiter: limiter, Logger: hclog.NewNullLogger()})
	r.Catalogue = catalogue.New(s, host, runner, hclog.NewNullLogger())
	r.Flow = authflow.New(authflow.Options{Store: s, Runner: runner, Logger: hclog.NewNullLogger(), PublicURL: "https://hub.example"})
	r.TestCalls = testcall.New(testcall.Options{Store: s, Source: r.Source, Sender: sender})
	r.Recorder = act.NewRecorder(s, audit.New(s, hclog.NewNullLogger()))
	t.Cleanup(sync.OnceFunc(func() {
		r.Flow.Wait()
		over, cancel := context.WithCancel(context.Background())
		cancel()
		ended := make(chan struct{})
		go func() { r.Source.Close(over); close(ended) }()
		x.Close()
		<-ended
		_ = j.Close()
	}))
	return r
}

// serve is the service.
func (r *Rig) serve(t *testing.T) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(r.answer(req))
		active := "true"
		if strings.HasPrefix(req.PostFormValue("token"), "dead") {
			active = "false"
		}
		_, _ = io.WriteString(w, `{"access_token":"an-access-token","refresh_token":"a-refresh-token","id":"7","name":"ann@service.example","active":`+active+`}`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// startPlugin makes the test binary a plugin.
func startPlugin(t *testing.T) *pluginhost.Host {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	Must(t, err)
	program, err := os.ReadFile(self)
	Must(t, err)
	Must(t, os.WriteFile(filepath.Join(dir, "evergrant-provider-"+providerName), program, 0o755)) //nolint:gosec // G306: a program is executed
	host, err := pluginhost.New(pluginhost.Options{Dir: dir})
	Must(t, err)
	t.Cleanup(func() {
		over, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		host.Stop(over)
	})
	Must(t, host.Scan(t.Context()))
	return host
}

// As returns a context whose caller has a role.
func (r *Rig) As(ctx context.Context, role string) context.Context {
	return act.With(ctx, act.Person(peopledb.User{ID: role + "-id", Login: role, Role: role}, "192.0.2.1", "Test browser"))
}

// Draft is a service that can be added.
func (r *Rig) Draft(name string) catalogue.ServiceDraft {
	return catalogue.ServiceDraft{Name: name, Title: name, Provider: providerName, ClientID: "id", ClientSecret: "secret", Options: map[string]any{"server": r.Address}}
}

// Service adds a service beside the acts.
func (r *Rig) Service(t *testing.T, name string) service.Service {
	t.Helper()
	s, err := r.Catalogue.AddService(t.Context(), r.Draft(name))
	Must(t, err)
	return s
}

// Connection adds one with a grant beside the acts.
func (r *Rig) Connection(t *testing.T, s service.Service, name string) connection.Connection {
	t.Helper()
	now := time.Now()
	c := connection.New(now, store.NewID(), name, name, s.ID, connection.PolicyOf(s.Description, provider.GrantAuthorizationCode)).Granted(now, now.Add(-time.Minute),
		provider.Token{AccessToken: name + "-access", RefreshToken: name + "-refresh", ExpiresIn: provider.Seconds(3600)}, provider.Account{ID: "7", Name: "ann@service.example"}, nil)
	Must(t, r.Store.Grants.CreateConnection(t.Context(), c))
	return c
}

// Records are the records since the last call, as "act outcome object", oldest first; the
// reason of what was not done is after a colon.
func (r *Rig) Records(t *testing.T, since *int64) string {
	t.Helper()
	records, err := r.Store.Audit.AuditRecords(t.Context(), auditdb.AuditFilter{Limit: 1000})
	Must(t, err)
	var lines []string
	for _, record := range records {
		if record.Seq <= *since {
			break
		}
		line := strings.Join([]string{record.Act, record.Outcome, record.Object}, " ")
		if reason := record.Detail["reason"]; reason != "" {
			line += ": " + reason
		}
		lines = append([]string{line}, lines...)
	}
	if len(records) > 0 {
		*since = records[0].Seq
	}
	return strings.Join(lines, "\n")
}

// Last is the newest record.
func (r *Rig) Last(t *testing.T) auditdb.AuditRecord {
	t.Helper()
	records, err := r.Store.Audit.AuditRecords(t.Context(), auditdb.AuditFilter{Limit: 1})
	Must(t, err)
	if len(records) == 0 {
		t.Fatal("nothing is recorded")
	}
	return records[0]
}

// Must ends a test that cannot go on.
func Must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
