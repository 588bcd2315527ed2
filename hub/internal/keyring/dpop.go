package keyring

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/evergrant/evergrant/hub/internal/bounded"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Prover proves possession of one version of a key (RFC 9449). It is safe for concurrent
// use.
type Prover struct {
	key    jose.SigningKey
	kid    string
	nonces *nonces
}

// Prover returns the prover of a DPoP key: of the version that a grant is bound to, or, if
// pinned is empty, of the one in use. Errors: *MissingError.
func (r *Keyring) Prover(ctx context.Context, svc service.Service, name, pinned string) (exchange.Prover, error) {
	k, err := r.key(ctx, svc, name, pinned, provider.KeyDPoP)
	if err != nil {
		return nil, err
	}
	key, err := signingKeyOf(k)
	return &Prover{key: key, kid: k.KeyID, nonces: r.nonces}, err
}

// KeyID names the version.
func (p *Prover) KeyID() string { return p.kid }

// Proof is the value of the DPoP header for a request.
func (p *Prover) Proof(method string, u *url.URL) (string, error) {
	if method == "" {
		method = http.MethodGet
	}
	target := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath} // without query and fragment
	claims := map[string]any{"jti": randtoken.New(), "htm": method, "htu": target.String(), "iat": time.Now().Unix()}
	if nonce, ok := p.nonces.of(u); ok {
		claims["nonce"] = nonce
	}
	// The public key stands in the header itself; servers may refuse a kid beside it.
	key, _ := p.key.Key.(jose.JSONWebKey)
	bare := jose.SigningKey{Algorithm: p.key.Algorithm, Key: jose.JSONWebKey{Key: key.Key}}
	return signed(bare, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"), claims)
}

// Learn keeps the nonce that a server has given for the next proof.
func (p *Prover) Learn(u *url.URL, header http.Header) { p.nonces.learn(u, header.Get("DPoP-Nonce")) }

// nonces are the newest ones of servers, by origin.
type nonces struct{ newest *bounded.Map[string, string] }

// mostNonces bounds the servers whose nonces are kept, and mostNonce one of them, in bytes.
const (
	mostNonces = 1000
	mostNonce  = 1000
)

func newNonces() *nonces { return &nonces{newest: bounded.New[string, string](mostNonces)} }

func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

func (n *nonces) of(u *url.URL) (string, bool) { return n.newest.Get(origin(u)) }

func (n *nonces) learn(u *url.URL, nonce string) {
	if nonce != "" && len(nonce) <= mostNonce {
		n.newest.Put(origin(u), nonce)
	}
}
