package keyring_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/keyring"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// served is the certificate of the services of these tests. The process trusts it, because
// the hub trusts what the system does.
var served tls.Certificate

func TestMain(m *testing.M) { os.Exit(withTrust(m)) }

func withTrust(m *testing.M) int {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "service"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	served = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	dir, err := os.MkdirTemp("", "trusted")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		panic(err)
	}
	_, _ = os.Setenv("SSL_CERT_FILE", file), os.Setenv("SSL_CERT_DIR", dir)
	return m.Run()
}

// seen is a token request as the service got it.
type seen struct {
	form        map[string]string
	proof       string
	certificate []byte
}

// rig is a runner with a keyring, and a service that takes every token request and asks for
// a nonce in proofs.
type rig struct {
	runner  *operation.Runner
	keys    *keyring.Keyring
	service service.Service
	server  *httptest.Server
	private map[string]any // of the token set that is renewed

	mu       sync.Mutex
	requests []seen
	asked    int // for a nonce
}

const nonce = "server-nonce"

func (r *rig) token(w http.ResponseWriter, req *http.Request) {
	_ = req.ParseForm()
	s := seen{form: map[string]string{}, proof: req.Header.Get("DPoP")}
	for name := range req.PostForm {
		s.form[name] = req.PostForm.Get(name)
	}
	if peers := req.TLS.PeerCertificates; len(peers) > 0 {
		s.certificate = peers[0].Raw
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if s.proof != "" {
		w.Header().Set("DPoP-Nonce", nonce)
		if claims := claimsOf(s.proof); claims["nonce"] != nonce {
			r.asked++
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"use_dpop_nonce"}`))
			return
		}
	}
	r.requests = append(r.requests, s)
	_, _ = w.Write([]byte(`{"access_token":"a","token_type":"Bearer","refresh_token":"r","expires_in":3600}`))
}

func claimsOf(token string) map[string]any {
	var claims map[string]any
	payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	_ = json.Unmarshal(payload, &claims)
	return claims
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newRig(t *testing.T, st *store.Store, config oauth.Config) *rig {
	t.Helper()
	r := &rig{keys: keyring.New(st)}
	r.server = httptest.NewUnstartedServer(http.HandlerFunc(r.token))
	r.server.TLS = &tls.Config{Certificates: []tls.Certificate{served}, ClientAuth: tls.RequestClientCert}
	r.server.StartTLS()
	t.Cleanup(r.server.Close)
	config.AuthURL, config.TokenURL = r.server.URL+"/authorize", r.server.URL+"/token"
	config.Description = provider.Description{
		Name: "acme", Title: provider.Text{EN: "Acme"}, AutoRenew: provider.AutoRenewRefreshToken, PKCE: provider.PKCENone,
		Hosts: []provider.Host{{Pattern: strings.TrimPrefix(r.server.URL, "https://"), ClientSecret: true}},
		Keys: []provider.Key{
			{Name: oauth.DefaultSignatureKey, Use: provider.KeySignature, Title: provider.Text{EN: "Key"}, Algorithms: []string{"ES256", "RS256"}, Origin: provider.KeyFromHub},
			{Name: oauth.DefaultCertificateKey, Use: provider.KeyClientCertificate, Title: provider.Text{EN: "Certificate"}, Origin: provider.KeyFromHub},
			{Name: "issued", Use: provider.KeySignature, Title: provider.Text{EN: "Issued"}, Algorithms: []string{"RS256"}, Origin: provider.KeyImported},
			{Name: "dpop", Use: provider.KeyDPoP, Title: provider.Text{EN: "DPoP"}, Algorithms: []string{"ES256"}, Origin: provider.KeyFromHub},
		},
	}
	client, stop, err := providerplugin.InProcess(oauth.New(config))
	must(t, err)
	t.Cleanup(stop)
	info, err := client.Describe(t.Context())
	must(t, err)
	now := time.Now()
	r.service = service.Service{
		ID: store.NewID(), Name: "acme", Title: "Acme", Provider: "acme", ClientID: "client", ClientSecret: strings.Repeat("s", 32), Description: &info.Descriptions[0], CreatedAt: now, UpdatedAt: now,
	}
	must(t, st.Services.CreateService(t.Context(), r.service))
	sender := egress.New(egress.Options{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	t.Cleanup(sender.Close)
	box, err := seal.Create(filepath.Join(t.TempDir(), "key"))
	must(t, err)
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), box, hclog.NewNullLogger())
	must(t, err)
	t.Cleanup(func() { _ = j.Close() })
	r.runner = operation.NewRunner(operation.Options{
		Plugins: inProcess{client}, Exchanger: exchange.New(exchange.Options{Sender: sender}), Journal: j, Limiter: endpoint.New(endpoint.Options{}),
		Keys: r.keys, Logger: hclog.NewNullLogger(),
	})
	return r
}

type inProcess struct{ client *providerplugin.Client }

func (p inProcess) Run(ctx context.Context, _ string, do func(context.Context, *providerplugin.Client) error) error {
	return do(ctx, p.client)
}

func (inProcess) Description(string) (d provider.Description, sum string, ok bool) {
	return d, "", false
}

func (r *rig) renew(t *testing.T, op operation.Op) (operation.Outcome, error) {
	t.Helper()
	op.ID, op.Service, op.Now, op.Journaled = store.NewID(), r.service, time.Now(), true
	_, out, err := r.runner.Obtain(t.Context(), &op, operation.Obtaining{Current: provider.Token{AccessToken: "a", RefreshToken: "r", Private: r.private}})
	return out, err
}

// exchange exchanges a code, and has renewals spend the refresh token that comes.
func (r *rig) exchange(t *testing.T, op operation.Op) operation.Outcome {
	t.Helper()
	op.ID, op.Service, op.Now, op.Journaled = store.NewID(), r.service, time.Now(), true
	token, out, err := r.runner.Exchange(t.Context(), &op, provider.ExchangeRequest{Code: "code", RedirectURI: "https://hub.example/callback"})
	must(t, err)
	r.private = token.Private
	return out
}

// public finds a published key.
func (r *rig) public(t *testing.T, kid string) jose.JSONWebKey {
	t.Helper()
	set, err := r.keys.Published(t.Context(), r.service.ID)
	must(t, err)
	if found := set.Key(kid); len(found) == 1 && found[0].IsPublic() {
		return found[0]
	}
	t.Fatalf("%s is not published among %d keys", kid, len(set.Keys))
	return jose.JSONWebKey{}
}

func TestAClientProvesItselfByAKeyThatIsPublished(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r := newRig(t, st, oauth.Config{Auth: oauth.AuthPrivateKeyJWT})
		for range 2 { // the key is made once
			_, err := r.renew(t, operation.Op{})
			must(t, err)
		}
		kids := map[string]bool{}
		for _, req := range r.requests {
			token, err := jwt.ParseSigned(req.form["client_assertion"], []jose.SignatureAlgorithm{jose.ES256})
			must(t, err)
			kid := token.Headers[0].KeyID
			kids[kid] = true
			var claims jwt.Claims
			must(t, token.Claims(r.public(t, kid).Key, &claims))
			must(t, claims.ValidateWithLeeway(jwt.Expected{Issuer: "client", Subject: "client", AnyAudience: jwt.Audience{r.server.URL + "/token"}, Time: time.Now()}, time.Second))
			if claims.ID == "" || claims.Expiry.Time().Sub(claims.IssuedAt.Time()) != time.Minute || req.form["client_secret"] != "" {
				t.Errorf("the assertion has %+v beside %v", claims, req.form)
			}
		}
		if len(kids) != 1 || claimsOf(r.requests[0].form["client_assertion"])["jti"] == claimsOf(r.requests[1].form["client_assertion"])["jti"] {
			t.Errorf("two requests used the keys %v", kids)
		}
		old, err := r.keys.Make(t.Context(), r.service, oauth.DefaultSignatureKey)
		must(t, err)
		if r.public(t, old.KeyID); kids[old.KeyID] {
			t.Error("the new version is the old one")
		}
		_, err = r.renew(t, operation.Op{})
		must(t, err)
		if kid := headerOf(r.requests[2].form["client_assertion"])["kid"]; !kids[kid.(string)] {
			t.Error("a version is used that services have not had the time to read")
		}
	})
}

func headerOf(token string) map[string]any {
	var header map[string]any
	text, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	_ = json.Unmarshal(text, &header)
	return header
}

func TestTheClientSecretSignsWithoutBeingSent(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), oauth.Config{Auth: oauth.AuthSecretJWT})
	_, err := r.renew(t, operation.Op{})
	must(t, err)
	form := r.requests[0].form
	token, err := jwt.ParseSigned(form["client_assertion"], []jose.SignatureAlgorithm{jose.HS256})
	must(t, err)
	var claims jwt.Claims
	must(t, token.Claims([]byte(r.service.ClientSecret), &claims))
	if form["client_secret"] != "" {
		t.Error("the secret was sent")
	}
	r.service.ClientSecret = "short"
	if _, err := r.renew(t, operation.Op{}); provider.KindOf(err) == provider.ReauthorizationRequired || err == nil || len(r.requests) != 1 {
		t.Errorf("a secret that is too short to sign gave %v", err)
	}
}

func TestAClientCertificateIsPresentedToItsServiceAlone(t *testing.T) {
	t.Parallel()
	st := storetest.SQLite(t)
	r := newRig(t, st, oauth.Config{Auth: oauth.AuthSelfSignedTLS})
	must(t, r.keys.Ensure(t.Context(), r.service))
	_, err := r.renew(t, operation.Op{})
	must(t, err)
	certificate, err := r.keys.Certificate(t.Context(), r.service, oauth.DefaultCertificateKey)
	must(t, err)
	got := r.requests[0]
	if !bytes.Equal(got.certificate, certificate.Certificate[0]) || got.form["client_id"] != "client" || got.form["client_secret"] != "" {
		t.Errorf("the service saw %d bytes of a certificate and %v", len(got.certificate), got.form)
	}
	plain := newRig(t, storetest.SQLite(t), oauth.Config{Auth: oauth.AuthPost})
	_, err = plain.renew(t, operation.Op{})
	must(t, err)
	if plain.requests[0].certificate != nil {
		t.Error("a service without one was shown a certificate")
	}
}

func TestARefreshTokenStaysWithTheKeyThatItIsBoundTo(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), oauth.Config{Auth: oauth.AuthPost, Keys: oauth.ClientKeys{DPoP: "dpop"}})
	if _, err := r.renew(t, operation.Op{}); err != nil || r.requests[0].proof != "" {
		t.Fatalf("a grant from before was renewed with the proof %q, %v", r.requests[0].proof, err)
	}
	r.requests = nil
	fences := 0
	out := r.exchange(t, operation.Op{Fence: func(context.Context) error { fences++; return nil }})
	if len(r.requests) != 1 || r.asked != 1 || fences != 2 || !out.Answered || len(out.Replies) != 1 {
		t.Fatalf("the nonce was asked for %d times, %d requests were taken, %d fenced, %d journaled", r.asked, len(r.requests), fences, len(out.Replies))
	}
	first := out.KeyIDs["dpop"]
	if _, err := r.keys.Make(t.Context(), r.service, "dpop"); err != nil {
		t.Fatal(err)
	}
	bound, err := r.renew(t, operation.Op{KeyIDs: out.KeyIDs})
	must(t, err)
	fresh, err := r.renew(t, operation.Op{})
	must(t, err)
	if bound.KeyIDs["dpop"] != first || fresh.KeyIDs["dpop"] == first || r.asked != 1 {
		t.Errorf("bound to %s it used %s, a new one %s; the nonce was asked for %d times", first, bound.KeyIDs["dpop"], fresh.KeyIDs["dpop"], r.asked)
	}
	for i, req := range r.requests {
		checkProof(t, r, req.proof, []string{first, first, fresh.KeyIDs["dpop"]}[i])
	}
	again, err := r.renew(t, operation.Op{Kept: bound.Replies})
	must(t, err)
	if len(r.requests) != 3 || again.KeyIDs["dpop"] != first {
		t.Errorf("run again on its replies it sent %d requests, bound to %v", len(r.requests)-3, again.KeyIDs)
	}
	must(t, r.keys.Remove(t.Context(), r.service, "dpop", first))
	var failure *provider.Error
	if _, err := r.renew(t, operation.Op{KeyIDs: out.KeyIDs}); !errors.As(err, &failure) || failure.Kind != provider.Blocked || failure.Code != operation.CodeKey || len(r.requests) != 3 {
		t.Errorf("with its key removed it gave %v", err)
	}
}

// checkProof checks a proof by RFC 9449 section 4.3.
func checkProof(t *testing.T, r *rig, proof, kid string) {
	t.Helper()
	token, err := jwt.ParseSigned(proof, []jose.SignatureAlgorithm{jose.ES256})
	must(t, err)
	header := token.Headers[0]
	var claims map[string]any
	must(t, token.Claims(header.JSONWebKey.Key, &claims))
	thumbprint, err := header.JSONWebKey.Thumbprint(crypto.SHA256)
	must(t, err)
	if !header.JSONWebKey.IsPublic() || base64.RawURLEncoding.EncodeToString(thumbprint) != kid || headerOf(proof)["typ"] != "dpop+jwt" {
		t.Errorf("the header is %v, want the key %s", headerOf(proof), kid)
	}
	if claims["htm"] != "POST" || claims["htu"] != r.server.URL+"/token" || claims["jti"] == "" || claims["nonce"] != nonce {
		t.Errorf("the claims are %v", claims)
	}
}

func TestAKeyThatIsMissingBlocksAndNothingIsSent(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), oauth.Config{Auth: oauth.AuthPrivateKeyJWT, Keys: oauth.ClientKeys{Signature: "issued"}})
	_, err := r.renew(t, operation.Op{})
	failure, ok := errors.AsType[*provider.Error](err)
	if !ok || failure.Kind != provider.Blocked || failure.Code != operation.CodeKey || failure.Remedy.EN == "" || failure.Remedy.RU == "" || len(r.requests) != 0 {
		t.Fatalf("got %v after %d requests", err, len(r.requests))
	}
	undeclared := newRig(t, storetest.SQLite(t), oauth.Config{Auth: oauth.AuthPrivateKeyJWT, Keys: oauth.ClientKeys{Signature: "dpop"}})
	if _, err := undeclared.renew(t, operation.Op{}); err == nil || len(undeclared.requests) != 0 {
		t.Errorf("a key of another use signed: %v", err)
	}
}
