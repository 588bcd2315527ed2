package loginstest

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// SessionLife is how long a session of Taxcom lives from its last use.
const SessionLife = 5 * time.Minute

// MostWrong is how many wrong logins in a row lock the account.
const MostWrong = 3

// Server is both services with one account. It is safe for concurrent use.
type Server struct {
	// Now is the service's clock.
	Now func() time.Time
	// IntegratorID is the one that Taxcom has given out; "" accepts any.
	IntegratorID string

	mu       sync.Mutex
	state    state
	sessions map[string]time.Time // of Taxcom, with their ends
	http     *http.Server

	agreement string // of the last session
}

// state is what a restart keeps.
type state struct {
	Login    string
	Password string
	Wrong    int    // wrong logins in a row
	Logins   int    // all logins
	Token    string // the only one of MoySklad
}

// New returns a Server with an account.
func New(login, password string) *Server {
	return &Server{Now: time.Now, state: state{Login: login, Password: password}, sessions: map[string]time.Time{}}
}

// SetPassword changes the password, as the user does at the service. Sessions and tokens
// that there are end.
func (s *Server) SetPassword(password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Password, s.state.Token, s.state.Wrong = password, "", 0
	clear(s.sessions)
}

// Logins counts the logins that were tried.
func (s *Server) Logins() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Logins
}

// Agreement is the agreement number of the last session; "" if none was named.
func (s *Server) Agreement() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.agreement
}

// Locked reports whether wrong logins have locked the account.
func (s *Server) Locked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Wrong >= MostWrong
}

// State is "valid" or "unknown" for a session or a token.
func (s *Server) State(token string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if end, ok := s.sessions[token]; token != "" && (token == s.state.Token || ok && s.Now().Before(end)) {
		return "valid"
	}
	return "unknown"
}

// admit judges a login. The caller holds mu.
func (s *Server) admit(login, password string) bool {
	s.state.Logins++
	if s.state.Wrong >= MostWrong || login != s.state.Login || password != s.state.Password {
		s.state.Wrong++
		return false
	}
	s.state.Wrong = 0
	return true
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/API/v2/Login":
		s.taxcomLogin(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/API/v2/KKTList":
		s.taxcomCall(w, r)
	case r.Method == http.MethodPost && r.URL.Path == "/api/remap/1.2/security/token":
		s.moySkladToken(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *Server) taxcomLogin(w http.ResponseWriter, r *http.Request) {
	var body struct{ Login, Password, AgreementNumber string }
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&body)
	if err != nil || s.IntegratorID != "" && r.Header.Get("Integrator-ID") != s.IntegratorID || !s.admit(body.Login, body.Password) {
		taxcomError(w, 2108)
		return
	}
	s.agreement = body.AgreementNumber
	session := rand.Text()
	s.sessions[session] = s.Now().Add(SessionLife)
	_, _ = fmt.Fprintf(w, `{"sessionToken":%q}`, session)
}

// taxcomCall is a call of the API, which prolongs the session.
func (s *Server) taxcomCall(w http.ResponseWriter, r *http.Request) {
	session := r.Header.Get("Session-Token")
	if end, ok := s.sessions[session]; !ok || !s.Now().Before(end) {
		taxcomError(w, 2109)
		return
	}
	s.sessions[session] = s.Now().Add(SessionLife)
	_, _ = fmt.Fprint(w, `{"records":[]}`)
}

func taxcomError(w http.ResponseWriter, code int) {
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = fmt.Fprintf(w, `{"apiErrorCode":%d,"httpErrorCode":401,"commonDescription":"Ошибка авторизации","details":""}`, code)
}

// moySkladToken issues a token and ends all earlier ones of the user.
func (s *Server) moySkladToken(w http.ResponseWriter, r *http.Request) {
	login, password, _ := r.BasicAuth()
	if !s.admit(login, password) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, `{"errors":[{"error":"Ошибка аутентификации"}]}`)
		return
	}
	s.state.Token = rand.Text()
	w.WriteHeader(http.StatusCreated)
	_, _ = fmt.Fprintf(w, `{"access_token":%q}`, s.state.Token)
}

// Start listens on an address and returns the services' URL.
func (s *Server) Start(addr string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("start the emulated logins: %w", err)
	}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(l) }() // Close ends it
	return "http://" + l.Addr().String(), nil
}

// Close stops the services.
func (s *Server) Close() error {
	if err := s.http.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("stop the emulated logins: %w", err)
	}
	return nil
}

// Save returns the account and its token, for Load. Sessions end with the process.
func (s *Server) Save() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.state)
}

// Load restores what Save returned.
func (s *Server) Load(data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Unmarshal(data, &s.state)
}
