package emulator

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Fault is something that goes wrong. What it does is decided by the first of
// Hang, Cut, Code and Status that is set.
type Fault struct {
	// Path limits the fault to paths that begin with it. Empty means the endpoints
	// that issue tokens.
	Path string
	// GrantType limits the fault to token requests of this grant_type.
	GrantType string
	// Times is how many requests are struck; 0 means all until ClearFault.
	Times int

	// Hang holds the request until ClearFault, another SetFault, Close, or until the
	// client disconnects. A request that is released is processed normally.
	Hang bool
	// Cut ends the connection without a reply, or in the middle of Body if there is one.
	Cut bool
	// Code is an error of the service, by its name, in the service's own shape.
	Code string
	// Status, Header and Body are the reply. With Code, a Status that is not 0
	// takes the place of the usual one.
	Status int
	Header http.Header
	Body   string

	// Late lets the service do its work first, so that a grant is rotated and only
	// the reply is lost, held back or replaced.
	Late bool
	// Struck, if set, is called each time just before the fault shows.
	Struck func()
}

// SetFault lets f strike from now on, instead of the fault that was set before.
func (f *Front) SetFault(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.letGo()
	f.fault = &fault
	f.release = make(chan struct{})
}

// ClearFault ends the fault and releases the requests that it holds.
func (f *Front) ClearFault() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.letGo()
}

func (f *Front) letGo() {
	if f.release != nil {
		close(f.release)
	}
	f.fault, f.release = nil, nil
}

// strikes returns the fault that meets r, and what ends its hanging.
func (f *Front) strikes(r *http.Request) (Fault, <-chan struct{}, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault == nil || !f.meets(*f.fault, r) {
		return Fault{}, nil, false
	}
	fault := *f.fault
	switch fault.Times {
	case 0:
	case 1:
		f.fault = nil // what it holds stays held until it is released
	default:
		f.fault.Times--
	}
	return fault, f.release, true
}

func (f *Front) meets(fault Fault, r *http.Request) bool {
	if fault.GrantType != "" && fault.GrantType != r.Form.Get("grant_type") {
		return false
	}
	if fault.Path != "" {
		return strings.HasPrefix(r.URL.Path, fault.Path)
	}
	return slices.Contains(f.tokenPaths, r.URL.Path)
}

// suffer answers r as the fault has it.
func (f *Front) suffer(fault Fault, release <-chan struct{}, w http.ResponseWriter, r *http.Request, next http.Handler) {
	reply := &heldReply{header: http.Header{}}
	if fault.Late {
		next.ServeHTTP(reply, r)
	}
	if fault.Struck != nil {
		fault.Struck()
	}
	switch {
	case fault.Hang:
		select {
		case <-release:
		case <-r.Context().Done():
			NoteResult(r, "fault")
			panic(http.ErrAbortHandler)
		}
		if fault.Late {
			reply.writeTo(w)
		} else {
			next.ServeHTTP(w, r)
		}
	case fault.Cut:
		NoteResult(r, "fault")
		if fault.Body != "" {
			w.Header().Set("Content-Length", strconv.Itoa(len(fault.Body)+1))
			fault.writeTo(w)
			_ = http.NewResponseController(w).Flush()
		}
		panic(http.ErrAbortHandler)
	case fault.Code != "":
		f.refuse(w, r, fault.Code, fault.Status)
	default:
		NoteResult(r, "fault")
		fault.writeTo(w)
	}
}

func (f Fault) writeTo(w http.ResponseWriter) {
	for name, values := range f.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if w.Header().Get("Content-Type") == "" && strings.HasPrefix(f.Body, "{") {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(max(f.Status, http.StatusOK))
	_, _ = w.Write([]byte(f.Body))
}

// heldReply keeps a reply that may never be sent.
type heldReply struct {
	header http.Header
	status int
	body   []byte
}

func (h *heldReply) Header() http.Header { return h.header }

func (h *heldReply) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

func (h *heldReply) Write(b []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	h.body = append(h.body, b...)
	return len(b), nil
}

func (h *heldReply) writeTo(w http.ResponseWriter) {
	maps.Copy(w.Header(), h.header)
	w.WriteHeader(max(h.status, http.StatusOK))
	_, _ = w.Write(h.body)
}
