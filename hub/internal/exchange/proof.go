package exchange

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Prover proves possession of a key with each request (RFC 9449).
type Prover interface {
	// KeyID names the key.
	KeyID() string
	// Proof is the value of the DPoP header for a request.
	Proof(method string, u *url.URL) (string, error)
	// Learn keeps the nonce of a reply for the next proof.
	Learn(u *url.URL, header http.Header)
}

// send sends the request of an exchange. A server that asks for a nonce has not read the
// request any further (RFC 9449 section 8), so it is sent once more with one: that spends
// nothing.
func (x *Exchanger) send(ctx context.Context, r Request, hooks egress.Hooks) (*providerplugin.HTTPResponse, error) {
	if r.Prover == nil {
		return x.o.Sender.Send(ctx, r.To, r.HTTP, hooks)
	}
	response, err := x.prove(ctx, r, hooks)
	if err == nil && wantsNonce(response) {
		response, err = x.prove(ctx, r, hooks)
	}
	return response, err
}

// prove sends the request with a proof.
func (x *Exchanger) prove(ctx context.Context, r Request, hooks egress.Hooks) (*providerplugin.HTTPResponse, error) {
	u, err := url.Parse(r.HTTP.URL)
	if err != nil {
		return x.o.Sender.Send(ctx, r.To, r.HTTP, hooks) // which refuses it
	}
	proof, err := r.Prover.Proof(r.HTTP.Method, u)
	if err != nil {
		return nil, &providerplugin.RelayError{Refused: true, Message: "no proof of possession could be made: " + err.Error(), Err: err}
	}
	proven := *r.HTTP
	proven.Header = maps.Clone(proven.Header)
	if proven.Header == nil {
		proven.Header = http.Header{}
	}
	proven.Header.Set("DPoP", proof)
	response, err := x.o.Sender.Send(ctx, r.To, &proven, hooks)
	if response != nil {
		r.Prover.Learn(u, response.Header)
	}
	return response, err
}

// wantsNonce reports whether a server asks for a nonce: an authorization server in the
// body of a 400 (RFC 9449 section 8), a resource server in the challenge of a 401.
func wantsNonce(response *providerplugin.HTTPResponse) bool {
	if response.Header.Get("DPoP-Nonce") == "" {
		return false
	}
	if response.Status == http.StatusUnauthorized {
		return challenged(response.Header)
	}
	var body struct {
		Error string `json:"error"`
	}
	return response.Status == http.StatusBadRequest && json.Unmarshal(response.Body, &body) == nil && body.Error == useNonce
}

const useNonce = "use_dpop_nonce"

func challenged(header http.Header) bool {
	return slices.ContainsFunc(header.Values("WWW-Authenticate"), func(challenge string) bool {
		return strings.Contains(challenge, `error="`+useNonce+`"`)
	})
}
