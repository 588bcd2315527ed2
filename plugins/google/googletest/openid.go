package googletest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"sync"

	"github.com/evergrant/evergrant/plugins/emulator"
)

const (
	certsPath = "/oauth2/v3/certs"
	keyID     = "emulator"
)

// signingKey makes the key of the ID tokens when it is first needed.
type signingKey func() *rsa.PrivateKey

func newSigningKey() signingKey {
	return sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic("make a signing key: " + err.Error())
		}
		return key
	})
}

// idToken names the person who logged in (OpenID Connect Core section 2).
func (s *Server) idToken(grant emulator.Grant) string {
	now := s.config.Now()
	body := claims(grant)
	body["iss"], body["aud"], body["azp"] = s.URL, grant.ClientID, grant.ClientID
	body["iat"], body["exp"] = now.Unix(), now.Add(s.config.AccessTTL).Unix()
	if nonce := grant.Request.Get("nonce"); nonce != "" {
		body["nonce"] = nonce
	}
	signed := segment(map[string]any{"alg": "RS256", "typ": "JWT", "kid": keyID}) + "." + segment(body)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key(), crypto.SHA256, sum[:])
	if err != nil {
		panic("sign an ID token: " + err.Error())
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func segment(v map[string]any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("write an ID token: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// certs publishes the key of the ID tokens (RFC 7517).
func (s *Server) certs(w http.ResponseWriter, _ *http.Request) {
	public := s.key().PublicKey
	emulator.WriteJSON(w, http.StatusOK, map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID,
		"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
	}}})
}

// discovery lists the endpoints (OpenID Connect Discovery section 4).
func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	emulator.WriteJSON(w, http.StatusOK, map[string]any{
		"issuer":                                s.URL,
		"authorization_endpoint":                s.URL + authorizePath,
		"token_endpoint":                        s.URL + tokenPath,
		"revocation_endpoint":                   s.URL + revokePath,
		"userinfo_endpoint":                     s.URL + userinfoPath,
		"jwks_uri":                              s.URL + certsPath,
		"response_types_supported":              []string{"code"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token"},
		"scopes_supported":                      []string{"openid", "email", "profile"},
		"code_challenge_methods_supported":      []string{"plain", "S256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
}
