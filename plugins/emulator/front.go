package emulator

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// Refuse writes an error of the service, by its code. A status of 0 means the one
// that the service usually gives it.
type Refuse func(w http.ResponseWriter, r *http.Request, code string, status int)

// Front wraps the handlers of a service: it keeps the log, injects faults, and notifies
// of issued tokens. Safe for concurrent use.
type Front struct {
	now        func() time.Time
	tokenPaths []string
	refuse     Refuse

	mu      sync.Mutex
	log     []Exchange
	fault   *Fault
	release chan struct{}
	onToken func(grantType string)
}

// NewFront returns a front for a service that issues tokens at tokenPaths and answers
// errors by refuse.
func NewFront(now func() time.Time, refuse Refuse, tokenPaths ...string) *Front {
	return &Front{now: now, refuse: refuse, tokenPaths: tokenPaths}
}

// Log returns the requests that were answered, oldest first.
func (f *Front) Log() []Exchange {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log)
}

// TokenRequests returns the token requests of the log: to the token endpoint, and to the
// prolongation endpoint if there is one.
func (f *Front) TokenRequests() []Exchange {
	return slices.DeleteFunc(f.Log(), func(ex Exchange) bool { return !slices.Contains(f.tokenPaths, ex.Path) })
}

// SetOnToken sets what is called after tokens were issued and before the reply is
// written. The reply waits for it: a test kills the client at this very moment.
func (f *Front) SetOnToken(hook func(grantType string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.onToken = hook
}

// TokenIssued is called by a service between issuing tokens and writing the reply.
func (f *Front) TokenIssued(grantType string) {
	f.mu.Lock()
	hook := f.onToken
	f.mu.Unlock()
	if hook != nil {
		hook(grantType)
	}
}

// Wrap puts the front before next.
func (f *Front) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		if err := r.ParseForm(); err != nil {
			http.Error(w, "unreadable form", http.StatusBadRequest)
			return
		}
		ex := newExchange(f.now(), r)
		seen := &statusWriter{ResponseWriter: w}
		r = withExchange(r, ex)
		defer func() {
			ex.Status = seen.status
			f.mu.Lock()
			defer f.mu.Unlock()
			f.log = append(f.log, *ex)
		}()
		if fault, release, ok := f.strikes(r); ok {
			f.suffer(fault, release, seen, r, next)
			return
		}
		next.ServeHTTP(seen, r)
	})
}

// statusWriter records the status that was written.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *statusWriter) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }
