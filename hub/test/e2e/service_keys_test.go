package e2e_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// keyedServer is an authorization server that knows its clients by their keys: it reads the
// hub's published set, as one that was registered with jwks_uri does.
type keyedServer struct {
	*httptest.Server
	jwks string

	mu     sync.Mutex
	issued int
	claims []map[string]any
}

func newKeyedServer(t *testing.T) *keyedServer {
	t.Helper()
	s := &keyedServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(s.token))
	t.Cleanup(s.Close)
	return s
}

func (s *keyedServer) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = r.ParseForm()
	assertion := r.PostForm.Get("client_assertion")
	if assertion == "" {
		assertion = r.PostForm.Get("assertion")
	}
	claims := s.verified(assertion)
	w.Header().Set("Content-Type", "application/json")
	if claims == nil || r.PostForm.Get("client_secret") != "" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":"invalid_client"}`))
		return
	}
	s.issued++
	s.claims = append(s.claims, claims)
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "at-" + strings.Repeat("x", s.issued), "token_type": "Bearer", "expires_in": 3600})
}

// verified are the claims of an assertion that a published key has signed; nil otherwise.
func (s *keyedServer) verified(assertion string) (claims map[string]any) {
	response, err := http.Get(s.jwks)
	if err != nil {
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	var set jose.JSONWebKeySet
	token, parseErr := jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if json.NewDecoder(response.Body).Decode(&set) != nil || parseErr != nil {
		return nil
	}
	for _, key := range set.Key(token.Headers[0].KeyID) {
		if key.IsPublic() && token.Claims(key.Key, &claims) == nil {
			return claims
		}
	}
	return nil
}

type serviceKey struct{ Key, Kid, Use, Alg, Origin string }

func serviceKeys(t *testing.T, r *hubtest.Running, name string) []serviceKey {
	t.Helper()
	var listed struct{ Items []serviceKey }
	r.Admin.Must(t, "GET", "/api/v1/services/"+name+"/keys", nil, &listed)
	return listed.Items
}

// A client that is known by its key alone: the hub makes the key, publishes it before it is
// used, and replaces it without a gap.
func TestAClientIsKnownByItsKeyAlone(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	server := newKeyedServer(t)
	server.jwks = r.Hub.URL() + "/jwks/robot"
	service(t, r, "robot", "oauth2", map[string]any{
		"client_id": "robot", "options": map[string]any{"token_endpoint": server.URL + "/token", "grants": "client_credentials", "client_auth": "private_key_jwt"},
	})
	var c added
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": "robot", "name": "reports"}, &c)
	if c.Generation != 0 || c.Obtaining == nil || c.Obtaining.Kind != "blocked" || !strings.Contains(c.Obtaining.Message, "client-key") || server.issued != 0 {
		t.Fatalf("without a key: %+v, %+v", c, c.Obtaining)
	}
	if status, body := r.Admin.Do(t, "POST", "/api/v1/services/robot/keys/other", map[string]any{}); status != http.StatusNotFound {
		t.Errorf("a key that is not declared: %d %s", status, body)
	}
	r.Admin.Must(t, "POST", "/api/v1/services/robot/keys/client-key", map[string]any{}, nil)
	r.Admin.Must(t, "POST", "/api/v1/connections/reports/token-set", map[string]any{}, &c)
	r.Admin.Must(t, "POST", "/api/v1/services/robot/keys/client-key", map[string]any{}, nil)
	r.Admin.Must(t, "POST", "/api/v1/connections/reports/renew", nil, nil)
	keys := serviceKeys(t, r, "robot")
	if v := r.View(t, "reports"); v.Generation != 2 || len(keys) != 2 || keys[0].Alg != "ES256" || keys[0].Origin != "hub" {
		t.Fatalf("with its key: generation %d, keys %+v", v.Generation, keys)
	}
	claims := server.claims[1]
	if claims["iss"] != "robot" || claims["sub"] != "robot" || claims["aud"] != server.URL+"/token" {
		t.Errorf("the assertion has %v", claims)
	}
	for _, k := range keys {
		r.Admin.Must(t, "DELETE", "/api/v1/services/robot/keys/client-key/"+k.Kid, nil, nil)
	}
	if _, body := r.Admin.Do(t, "POST", "/api/v1/connections/reports/renew", nil); server.issued != 2 || !strings.Contains(string(body), "key_unusable") {
		t.Errorf("without its keys %d tokens, %s", server.issued, body)
	}
}

// A service account: its key was issued by the service, and what it acts for is asked for
// each connection. The private key is shown nowhere.
func TestAServiceAccountSignsByTheKeyThatItWasIssued(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	server := newKeyedServer(t)
	server.jwks = r.Hub.URL() + "/jwks/drive"
	service(t, r, "drive", "oauth2", map[string]any{
		"client_id": "robot@project.example", "scopes": []string{"files", "mail"},
		"options": map[string]any{"token_endpoint": server.URL + "/token", "grants": "assertion", "client_auth": "none"},
	})
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	file, _ := json.Marshal(map[string]string{"type": "service_account", "client_email": "robot@project.example", "private_key_id": "kid-of-google", "private_key": text})
	r.Admin.Must(t, "POST", "/api/v1/services/drive/keys/service-account", map[string]any{"private_key": string(file)}, nil)
	if keys := serviceKeys(t, r, "drive"); len(keys) != 1 || keys[0].Kid != "kid-of-google" || keys[0].Alg != "RS256" || keys[0].Origin != "imported" {
		t.Fatalf("imported: %+v", keys)
	}
	var c added
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": "drive", "name": "files", "options": map[string]any{"subject": "anna@project.example"}}, &c)
	if c.Grant != "assertion" || c.Generation != 1 || len(server.claims) != 1 {
		t.Fatalf("added: %+v", c)
	}
	claims := server.claims[0]
	if claims["iss"] != "robot@project.example" || claims["sub"] != "anna@project.example" || claims["scope"] != "files mail" {
		t.Errorf("the assertion has %v", claims)
	}
	line := strings.Split(text, "\n")[2]
	if _, body := r.Admin.Do(t, "GET", "/api/v1/services/drive/keys", nil); strings.Contains(string(body), line) || strings.Contains(r.Log.String(), line) {
		t.Error("the private key is shown or logged")
	}
	if status, body := r.Admin.Do(t, "POST", "/api/v1/services/drive/keys/service-account", map[string]any{"private_key": "not a key"}); status != http.StatusUnprocessableEntity || strings.Contains(string(body), "not a key") {
		t.Errorf("what is no key: %d %s", status, body)
	}
	// Another one is imported, by the same key.
	boris := map[string]any{"service": "drive", "name": "files-of-boris", "options": map[string]any{"subject": "boris@project.example"}}
	if got := imports(t, r, "all", boris); !slices.Equal(got, []string{"files-of-boris done"}) || server.claims[len(server.claims)-1]["sub"] != "boris@project.example" {
		t.Errorf("imported: %q", got)
	}
}

// A key that is missing when a person is to be sent to the service blocks the authorization,
// and is no address that is not there.
func TestAnAuthorizationWithoutItsKeyIsBlocked(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	server := newKeyedServer(t)
	service(t, r, "pushed", "oauth2", map[string]any{
		"client_id": "robot", "options": map[string]any{
			"authorization_endpoint": server.URL + "/authorize", "token_endpoint": server.URL + "/token",
			"pushed_authorization_request_endpoint": server.URL + "/par", "push": true, "client_auth": "private_key_jwt",
		},
	})
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": "pushed", "name": "pushed"}, nil)
	status, body := r.Admin.Do(t, "POST", "/api/v1/connections/pushed/authorizations", map[string]any{})
	if status != http.StatusBadGateway || !strings.Contains(string(body), "key_unusable") || !strings.Contains(string(body), `"blocked"`) {
		t.Errorf("got %d %s", status, body)
	}
}
