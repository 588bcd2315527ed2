package hub_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// signInService is an OpenID provider that lets everybody in as whom it is told.
type signInService struct {
	*httptest.Server

	key *rsa.PrivateKey

	mu sync.Mutex
	// claims are of who is logged in there; the next ID token has them.
	claims map[string]any
	codes  map[string]url.Values // the request that each code was given for
	// sends is the iss of callbacks, announced if announces (RFC 9207).
	announces bool
	sends     string
}

// startSignInService starts a service by which people sign in.
func startSignInService(t *testing.T) *signInService {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := &signInService{key: key, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token", "jwks_uri": s.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
			"authorization_response_iss_parameter_supported": s.announces,
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		q, code := r.URL.Query(), rand.Text()
		s.mu.Lock()
		s.codes[code] = q
		s.mu.Unlock()
		back := url.Values{"code": {code}, "state": {q.Get("state")}}
		if s.sends != "" {
			back.Set("iss", s.sends)
		}
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		asked, ok := s.codes[r.PostFormValue("code")]
		delete(s.codes, r.PostFormValue("code"))
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		id, secret, _ := r.BasicAuth()
		if !ok || id != "hub" || secret != "oidc-secret" || base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") {
			w.WriteHeader(http.StatusBadRequest)
			answer(w, map[string]string{"error": "invalid_grant"})
			return
		}
		claims := map[string]any{"iss": s.URL, "aud": "hub", "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(), "nonce": asked.Get("nonce")}
		maps.Copy(claims, s.claims)
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
		if err != nil {
			panic(err)
		}
		token, err := jwt.Signed(signer).Claims(claims).Serialize()
		if err != nil {
			panic(err)
		}
		answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": token})
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// is makes the service say who signs in.
func (s *signInService) is(claims map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims = claims
}

// federatedLogin goes through a sign-in and returns what the hub says at its end.
func (v *visitor) federatedLogin() (status int, page, location string) {
	v.t.Helper()
	_, _, away := v.ask("GET", "/login/oidc?return_to=/connections", nil)
	_, _, home := v.ask("GET", away, nil)
	return v.ask("GET", strings.TrimPrefix(home, v.base), nil)
}

func TestPeopleLogInByTheSignInService(t *testing.T) {
	t.Parallel()
	service := startSignInService(t)
	r := startHub(t, map[string]any{"oidc.issuer": service.URL, "oidc.client_id": "hub", "oidc.client_secret": "oidc-secret", "oidc.title": "Company"})
	boss := r.owner(t)
	boss.ask("POST", "/people/invite", url.Values{"login": {"olga@example.com"}, "role": {"operator"}})
	person := func(sub, email string, verified bool) map[string]any {
		return map[string]any{"sub": sub, "email": email, "email_verified": verified, "name": "Olga"}
	}
	if _, page, _ := newVisitor(t, r).ask("GET", "/login", nil); !strings.Contains(page, "Log in with Company") {
		t.Error("the login page does not offer the sign-in service")
	}

	service.is(person("7", "olga@example.com", false))
	if status, page, _ := newVisitor(t, r).federatedLogin(); status != http.StatusForbidden || !strings.Contains(page, "has not verified") {
		t.Errorf("an address that is not verified answers %d", status)
	}
	service.is(person("7", "olga@example.com", true))
	olga := newVisitor(t, r)
	if status, page, location := olga.federatedLogin(); status != http.StatusSeeOther || location != "/connections" {
		t.Fatalf("the invited person gets %d %q: %s", status, location, page)
	}
	if status, _, _ := olga.ask("GET", "/connections", nil); status != http.StatusOK {
		t.Errorf("and then %d", status)
	}
	if status, _, _ := olga.ask("GET", "/people", nil); status != http.StatusForbidden {
		t.Errorf("an operator gets %d of the people's page", status)
	}
	// A second time the subject counts, whatever the address has become.
	service.is(person("7", "olga.new@example.com", false))
	if status, _, _ := newVisitor(t, r).federatedLogin(); status != http.StatusSeeOther {
		t.Errorf("the second sign-in answers %d", status)
	}
	// Somebody else who has got her address there is not her.
	service.is(person("8", "olga@example.com", true))
	if status, _, _ := newVisitor(t, r).federatedLogin(); status != http.StatusForbidden {
		t.Errorf("another subject with the same address answers %d", status)
	}
	service.is(person("9", "stranger@example.com", true))
	if status, page, _ := newVisitor(t, r).federatedLogin(); status != http.StatusForbidden || !strings.Contains(page, "Nobody has invited you") {
		t.Errorf("a stranger gets %d", status)
	}
	if status, _, _ := newVisitor(t, r).ask("POST", "/login", url.Values{"login": {"olga@example.com"}, "password": {""}}); status != http.StatusUnprocessableEntity {
		t.Errorf("an empty password of somebody without one answers %d", status)
	}
	if strings.Contains(r.log.String(), "oidc-secret") {
		t.Error("the log holds the client secret")
	}
}

func TestASignInThatBelongsToAnotherBrowserIsRefused(t *testing.T) {
	t.Parallel()
	service := startSignInService(t)
	r := startHub(t, map[string]any{"oidc.issuer": service.URL, "oidc.client_id": "hub", "oidc.client_secret": "oidc-secret", "oidc.join_as": "viewer"})
	r.owner(t)
	service.is(map[string]any{"sub": "1", "email": "eve@example.com", "email_verified": true})
	eve := newVisitor(t, r)
	_, _, away := eve.ask("GET", "/login/oidc", nil)
	_, _, home := eve.ask("GET", away, nil)
	victim := newVisitor(t, r)
	if status, _, _ := victim.ask("GET", strings.TrimPrefix(home, r.hub.URL()), nil); status != http.StatusForbidden {
		t.Errorf("a callback of another browser answers %d", status)
	}
	service.is(map[string]any{"sub": "1", "email": "eve@example.com", "email_verified": true, "nonce": "another"})
	if status, _, _ := newVisitor(t, r).federatedLogin(); status != http.StatusForbidden {
		t.Errorf("an ID token of another sign-in answers %d", status)
	}
	service.is(map[string]any{"sub": "1", "email": "eve@example.com", "email_verified": true, "aud": "another"})
	if status, _, _ := newVisitor(t, r).federatedLogin(); status != http.StatusForbidden {
		t.Errorf("an ID token for another client answers %d", status)
	}
	service.is(map[string]any{"sub": "1", "email": "eve@example.com", "email_verified": true})
	if status, _, _ := newVisitor(t, r).federatedLogin(); status != http.StatusSeeOther {
		t.Errorf("whoever may join answers %d", status)
	}
	service.Close()
	again := startHub(t, map[string]any{"oidc.issuer": service.URL, "oidc.client_id": "hub"})
	again.owner(t)
	if status, page, _ := newVisitor(t, again).ask("GET", "/login/oidc", nil); status != http.StatusServiceUnavailable || !strings.Contains(page, "does not answer") {
		t.Errorf("a sign-in service that is away answers %d", status)
	}
}

// A service that announces iss sends it with every callback (RFC 9207): one without it, or
// of another issuer, was led here by somebody else.
func TestASignInWithoutItsIssuerIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		announces bool
		sends     func(own string) string
		in        bool
	}{
		"announced and missing":    {true, func(string) string { return "" }, false},
		"announced and sent":       {true, func(own string) string { return own }, true},
		"another's":                {true, func(string) string { return "https://evil.example" }, false},
		"not announced, sent":      {false, func(own string) string { return own }, true},
		"not announced, another's": {false, func(string) string { return "https://evil.example" }, false},
		"never heard of":           {false, func(string) string { return "" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			service := startSignInService(t)
			service.announces, service.sends = test.announces, test.sends(service.URL)
			r := startHub(t, map[string]any{"oidc.issuer": service.URL, "oidc.client_id": "hub", "oidc.client_secret": "oidc-secret", "oidc.join_as": "viewer"})
			r.owner(t)
			service.is(map[string]any{"sub": "1", "email": "anna@example.com", "email_verified": true})
			if status, _, _ := newVisitor(t, r).federatedLogin(); (status == http.StatusSeeOther) != test.in {
				t.Errorf("answers %d", status)
			}
		})
	}
}
