package exchange_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// proving proves by the newest nonce that it has learned.
type proving struct {
	nonce string
	err   error
}

func (p *proving) KeyID() string { return "kid" }

func (p *proving) Proof(method string, u *url.URL) (string, error) {
	return method + " " + u.Path + " " + p.nonce, p.err
}

func (p *proving) Learn(_ *url.URL, header http.Header) {
	if nonce := header.Get("DPoP-Nonce"); nonce != "" {
		p.nonce = nonce
	}
}

// A server that asks for a nonce is asked once more, and any other answer is the answer.
func TestARequestForANonceIsAnsweredOnce(t *testing.T) {
	for name, c := range map[string]struct {
		status          int
		body, challenge string
		nonce           string
		asked           int
	}{
		"an authorization server":        {status: 400, body: `{"error":"use_dpop_nonce"}`, nonce: "n1", asked: 2},
		"a resource server":              {status: 401, challenge: `DPoP error="use_dpop_nonce"`, nonce: "n1", asked: 2},
		"without a nonce":                {status: 400, body: `{"error":"use_dpop_nonce"}`, asked: 1},
		"another error":                  {status: 400, body: `{"error":"invalid_grant"}`, nonce: "n1", asked: 1},
		"another challenge":              {status: 401, challenge: `Bearer error="invalid_token"`, nonce: "n1", asked: 1},
		"no JSON":                        {status: 400, body: `use_dpop_nonce`, nonce: "n1", asked: 1},
		"a success that brings the next": {status: 200, body: `{}`, nonce: "n1", asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			var proofs []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				proofs = append(proofs, r.Header.Get("DPoP"))
				if c.nonce != "" {
					w.Header().Set("DPoP-Nonce", c.nonce)
				}
				if c.challenge != "" {
					w.Header().Set("WWW-Authenticate", c.challenge)
				}
				if strings.HasSuffix(proofs[len(proofs)-1], " n1") {
					_, _ = w.Write([]byte("taken"))
					return
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			t.Cleanup(server.Close)
			prover := &proving{}
			reply := proven(t, server.URL, prover)
			if reply.Response == nil || len(proofs) != c.asked || (c.asked == 2) != (string(reply.Response.Body) == "taken") || proofs[0] != "POST /token" {
				t.Errorf("proved by %q, answered %+v", proofs, reply.Response)
			}
			if prover.nonce != c.nonce {
				t.Errorf("learned %q", prover.nonce)
			}
		})
	}
}

func proven(t *testing.T, address string, prover exchange.Prover) exchange.Reply {
	t.Helper()
	sender := egress.New(egress.Options{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	t.Cleanup(sender.Close)
	x := exchange.New(exchange.Options{Sender: sender})
	t.Cleanup(x.Close)
	e := x.Start(t.Context(), exchange.Request{
		To:     egress.Target{Hosts: []provider.Host{{Pattern: address}}},
		HTTP:   &providerplugin.HTTPRequest{Method: http.MethodPost, URL: address + "/token?secret=x"},
		Spends: true, Prover: prover,
	})
	<-e.Done()
	return e.Reply()
}

// A proof that cannot be made keeps the request from being sent.
func TestWithoutAProofNothingIsSent(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(server.Close)
	broken := errors.New("no key")
	reply := proven(t, server.URL, &proving{err: broken})
	if reply.Failure == nil || !reply.Failure.Refused || reply.Failure.Written || !errors.Is(reply.Failure, broken) || asked != 0 {
		t.Errorf("got %+v after %d requests", reply, asked)
	}
}
