package oauth_test

import (
	"net/http"
	"testing"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// proofs keeps by which keys the context of a request asks the hub to prove something.
type proofs struct {
	answer
	certificate, dpop string
}

func (p *proofs) RoundTrip(req *http.Request) (*http.Response, error) {
	p.certificate, p.dpop = provider.ClientCertificate(req.Context()), provider.DPoP(req.Context())
	return p.answer.RoundTrip(req)
}

func TestAClientProvesItselfByKeysOfTheHub(t *testing.T) {
	for name, test := range map[string]struct {
		auth              oauth.ClientAuth
		keys              oauth.ClientKeys
		signs, audience   string
		certificate, dpop string
		private           map[string]any
	}{
		"private_key_jwt":             {auth: oauth.AuthPrivateKeyJWT, signs: oauth.DefaultSignatureKey, audience: "https://acme.example/token"},
		"private_key_jwt, named":      {auth: oauth.AuthPrivateKeyJWT, keys: oauth.ClientKeys{Signature: "own", Audience: "https://acme.example"}, signs: "own", audience: "https://acme.example"},
		"client_secret_jwt":           {auth: oauth.AuthSecretJWT, signs: provider.KeyClientSecret, audience: "https://acme.example/token"},
		"tls_client_auth":             {auth: oauth.AuthTLS, certificate: oauth.DefaultCertificateKey},
		"self_signed_tls_client_auth": {auth: oauth.AuthSelfSignedTLS, keys: oauth.ClientKeys{Certificate: "own"}, certificate: "own"},
		"DPoP beside a secret":        {auth: oauth.AuthPost, keys: oauth.ClientKeys{DPoP: "dpop"}, dpop: "dpop", private: map[string]any{"dpop_key": "dpop"}},
		"a grant from before DPoP":    {auth: oauth.AuthPost, keys: oauth.ClientKeys{DPoP: "dpop"}},
		"a bound grant, turned off":   {auth: oauth.AuthPost, dpop: "dpop", private: map[string]any{"dpop_key": "dpop"}},
	} {
		t.Run(name, func(t *testing.T) {
			p, s := &proofs{answer: answer{status: 200, body: `{"access_token":"a","token_type":"Bearer"}`}}, &signed{}
			config := further
			config.Auth, config.Keys = test.auth, test.keys
			call := callOf(&p.answer, s)
			call.HTTP = &http.Client{Transport: p}
			_, err := oauth.New(config).(provider.Refresher).Refresh(t.Context(), &provider.RefreshRequest{Call: call, Current: provider.Token{RefreshToken: "rt", Private: test.private}})
			if err != nil {
				t.Fatal(err)
			}
			_, form := only(t, &p.answer)
			if test.signs != "" {
				has(t, form, map[string]string{"client_assertion": "a-jwt", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"})
				if len(s.requests) != 1 || s.requests[0].Key != test.signs || s.requests[0].Claims["aud"] != test.audience || s.requests[0].Claims["sub"] != "client" {
					t.Errorf("signed %+v", s.requests)
				}
			} else if len(s.requests) != 0 || form.Has("client_assertion") {
				t.Errorf("signed %+v for %v", s.requests, form)
			}
			if form.Has("client_secret") != (test.auth == oauth.AuthPost) || p.certificate != test.certificate || p.dpop != test.dpop {
				t.Errorf("the certificate %q, the proof %q, the form %v", p.certificate, p.dpop, form)
			}
		})
	}
}

func TestAClientThatHasToSignNeedsASigner(t *testing.T) {
	config := further
	config.Auth = oauth.AuthPrivateKeyJWT
	a := &answer{status: 200}
	call := callOf(a, nil)
	call.Keys = nil
	_, err := oauth.New(config).(provider.Refresher).Refresh(t.Context(), &provider.RefreshRequest{Call: call, Current: provider.Token{RefreshToken: "rt"}})
	if err == nil || provider.KindOf(err) != provider.Internal || len(a.requests) != 0 {
		t.Errorf("got %v after %d requests", err, len(a.requests))
	}
}
