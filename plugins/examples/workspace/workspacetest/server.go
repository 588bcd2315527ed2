// Package workspacetest is the emulated service of the workspace plugin. One code brings the
// token sets of a bot and of a person; codes and refresh tokens are good once, each set
// rotates on its own, and one that is spent again ends its set. Errors are HTTP 200 with
// {"ok":false}.
package workspacetest

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Life is the life of access tokens.
const Life = 12 * time.Hour

// Server is the service. It is safe for concurrent use.
type Server struct {
	mu          sync.Mutex
	gate        func(refreshToken string)
	person      string // who consents; "" consents for the bot alone
	sets        []*set
	codes       map[string]*consent
	renewals    int
	doubleSpent int
	http        *http.Server
}

// consent is who has consented by a code, and whether the code was spent.
type consent struct {
	person string
	spent  bool
}

// set is a token set with its own lineage.
type set struct {
	account         string
	access, refresh string
	spent           map[string]bool
	ended           bool
}

// New returns a Server at which a person consents.
func New(person string) *Server { return &Server{person: person, codes: map[string]*consent{}} }

// Consents says who consents from now on; "" is somebody who lets only the bot in.
func (s *Server) Consents(person string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person = person
}

// End ends the sets of an account, as its owner does at the service.
func (s *Server) End(account string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sets {
		x.ended = x.ended || x.account == account
	}
}

// Account is whose a living access token is; "" for none.
func (s *Server) Account(access string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account(access)
}

func (s *Server) account(access string) string {
	for _, x := range s.sets {
		if !x.ended && access != "" && x.access == access {
			return x.account
		}
	}
	return ""
}

// Gate has a function called with each refresh token before it is answered; nil has none.
func (s *Server) Gate(gate func(refreshToken string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gate = gate
}

// Counts are the renewals, and the codes and refresh tokens that were spent twice.
func (s *Server) Counts() (renewals, doubleSpent int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.renewals, s.doubleSpent
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/authorize":
		s.authorize(w, r)
	case "/token":
		answer(w, s.token(r))
	case "/whoami":
		access, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if account := s.Account(access); account != "" {
			answer(w, map[string]any{"ok": true, "id": account, "name": account + "@workspace.example"})
			return
		}
		answer(w, refusal("invalid_token"))
	default:
		http.NotFound(w, r)
	}
}

// authorize sends the browser back with a code.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	code := rand.Text()
	s.mu.Lock()
	s.codes[code] = &consent{person: s.person}
	s.mu.Unlock()
	back := r.FormValue("redirect_uri") + "?" + url.Values{"code": {code}, "state": {r.FormValue("state")}}.Encode()
	http.Redirect(w, r, back, http.StatusFound) //nolint:gosec // G710: an emulator on loopback sends browsers where the test says
}

// token answers a token request.
func (s *Server) token(r *http.Request) map[string]any {
	if r.FormValue("client_secret") != "secret-of-workspace" {
		return refusal("invalid_client")
	}
	if token := r.FormValue("refresh_token"); token != "" {
		s.mu.Lock()
		gate := s.gate
		s.mu.Unlock()
		if gate != nil {
			gate(token)
		}
		return s.renew(token)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	given := s.codes[r.FormValue("code")]
	if given == nil {
		return refusal("invalid_grant")
	}
	if given.spent {
		s.doubleSpent++
		return refusal("invalid_grant")
	}
	given.spent = true
	reply := s.issue(&set{account: "bot"})
	if given.person != "" {
		reply["authed_user"] = s.issue(&set{account: given.person})
	}
	return reply
}

// issue adds a set. The caller holds mu.
func (s *Server) issue(x *set) map[string]any {
	x.spent = map[string]bool{}
	s.sets = append(s.sets, x)
	return x.next()
}

// next moves a set to its next tokens. The caller holds mu.
func (x *set) next() map[string]any {
	if x.refresh != "" {
		x.spent[x.refresh] = true
	}
	x.access, x.refresh = "access-"+rand.Text(), "refresh-"+rand.Text()
	return map[string]any{"ok": true, "access_token": x.access, "refresh_token": x.refresh, "expires_in": int(Life / time.Second)}
}

func (s *Server) renew(token string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sets {
		switch {
		case x.spent[token]:
			x.ended = true
			s.doubleSpent++
		case x.refresh == token && !x.ended:
			s.renewals++
			return x.next()
		}
	}
	return refusal("invalid_grant")
}

func refusal(code string) map[string]any { return map[string]any{"ok": false, "error": code} }

func answer(w http.ResponseWriter, fields map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(fields)
}

// Start listens on an address and returns the service's URL.
func (s *Server) Start(addr string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(err)
		}
	}()
	return "http://" + l.Addr().String(), nil
}

// Close ends it.
func (s *Server) Close() error { return s.http.Close() }
