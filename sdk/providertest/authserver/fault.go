package authserver

import (
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Fault is something that goes wrong at the token endpoint.
type Fault struct {
	// GrantType limits the fault to requests with it; "" is any.
	GrantType string
	// Times is how many requests are struck; 0 is all until ClearFaults.
	Times int
	// Late lets the server do its work first, so that a token was rotated and only
	// the reply is lost or spoilt.
	Late bool
	// Struck is called each time the fault strikes, before it shows; may be nil.
	Struck func()

	// Stall holds the reply until ClearFaults or until the client goes away.
	Stall bool
	// Edit changes a good reply.
	Edit func(fields map[string]any)
	// Cut ends the connection in the middle of the body.
	Cut bool
	// Status, Header and Body take the reply's place if Status is not 0.
	Status int
	Header http.Header
	Body   string
}

// Unavailable answers with a 5xx status.
func Unavailable(status int) Fault { return Fault{Status: status, Body: "upstream unavailable"} }

// TooManyRequests answers 429 with Retry-After in seconds.
func TooManyRequests(after time.Duration) Fault {
	return Fault{
		Status: http.StatusTooManyRequests, Body: `{"error":"slow_down"}`,
		Header: http.Header{"Content-Type": {"application/json"}, "Retry-After": {strconv.Itoa(int(after.Seconds()))}},
	}
}

// ErrorWith200 answers an error code with the status of success.
func ErrorWith200(code string) Fault {
	return Fault{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: `{"error":` + strconv.Quote(code) + `}`}
}

// HTMLBody answers with a page, as a proxy or a login wall does.
func HTMLBody() Fault {
	return Fault{Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<!doctype html><title>Welcome</title>"}
}

// CutBody breaks the connection in the middle of a good reply: the work is done.
func CutBody() Fault { return Fault{Late: true, Cut: true} }

// Stalled holds the reply.
func Stalled() Fault { return Fault{Stall: true} }

// ExpiredCode answers an exchange as if the code had come too late.
func ExpiredCode() Fault {
	return Fault{
		GrantType: "authorization_code", Status: http.StatusBadRequest,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   `{"error":"invalid_grant","error_description":"the authorization code has expired"}`,
	}
}

// WithoutField leaves a field out of good replies, for example expires_in or
// refresh_token.
func WithoutField(name string) Fault {
	return Fault{Edit: func(fields map[string]any) { delete(fields, name) }}
}

// ExpiresInAsString writes "3600" instead of 3600.
func ExpiresInAsString() Fault {
	return Fault{Edit: func(fields map[string]any) {
		if n, ok := fields["expires_in"].(int64); ok {
			fields["expires_in"] = strconv.FormatInt(n, 10)
		}
	}}
}

// ExpiresInMilliseconds writes the lifetime in milliseconds.
func ExpiresInMilliseconds() Fault {
	return Fault{Edit: func(fields map[string]any) {
		if n, ok := fields["expires_in"].(int64); ok {
			fields["expires_in"] = n * 1000
		}
	}}
}

// faults are those that were set and not yet used up.
type faults struct {
	mu      sync.Mutex
	list    []*Fault
	release chan struct{}
}

// SetFault adds a fault. Of several that fit a request the oldest strikes.
func (s *Server) SetFault(f Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.release == nil {
		s.faults.release = make(chan struct{})
	}
	s.faults.list = append(s.faults.list, &f)
}

// ClearFaults ends all faults and releases what they hold.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = nil
	if s.faults.release != nil {
		close(s.faults.release)
		s.faults.release = nil
	}
}

// strike returns the fault that meets a request, and what ends its stalling.
func (f *faults) strike(grantType string) (Fault, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range f.list {
		if fault.GrantType != "" && fault.GrantType != grantType {
			continue
		}
		struck := *fault
		if fault.Times--; fault.Times == 0 {
			f.list = append(f.list[:i:i], f.list[i+1:]...)
		} else if fault.Times < 0 {
			fault.Times = 0
		}
		return struck, f.release
	}
	return Fault{}, nil
}

// replaces reports whether the fault has a reply of its own.
func (f Fault) replaces() bool { return f.Status != 0 }

func (f Fault) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), f.Header)
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
}

// cut sends half of a body and breaks the connection.
func cut(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush() // the connection ends on the next line
	panic(http.ErrAbortHandler)
}
