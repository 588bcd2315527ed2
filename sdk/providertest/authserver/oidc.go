package authserver

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// metadata is the document of RFC 8414 and of OpenID Connect Discovery.
func (s *Server) metadata(w http.ResponseWriter, r *http.Request) {
	issuer := s.issuer(r)
	methods := []string{"client_secret_basic", "client_secret_post"}
	if s.config.Public {
		methods = []string{"none"}
	}
	writeJSON(w, map[string]any{
		"issuer":                                         issuer,
		"authorization_endpoint":                         issuer + "/authorize",
		"token_endpoint":                                 issuer + "/token",
		"device_authorization_endpoint":                  issuer + "/device_authorization",
		"revocation_endpoint":                            issuer + "/revoke",
		"introspection_endpoint":                         issuer + "/introspect",
		"userinfo_endpoint":                              issuer + "/userinfo",
		"jwks_uri":                                       issuer + "/jwks",
		"response_types_supported":                       []string{"code"},
		"grant_types_supported":                          []string{"authorization_code", "refresh_token", "client_credentials", deviceGrant},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"ES256"},
		"scopes_supported":                               []string{"openid", "email", "profile", "offline_access"},
		"token_endpoint_auth_methods_supported":          methods,
		"revocation_endpoint_auth_methods_supported":     methods,
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": !s.config.WithoutIss,
	})
}

// userinfo answers a valid access token with its account.
func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	access, state := s.ledger.look("access_token", token, s.now())
	if !strings.EqualFold(scheme, "Bearer") || state != Valid {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_token"})
		return
	}
	account := access.family.Account
	writeJSON(w, map[string]any{"sub": account.ID, "email": account.Login, "name": account.Name})
}

// idToken signs an ID token (OpenID Connect Core section 2).
func (s *Server) idToken(issuer string, account Account, nonce string) string {
	now := s.now()
	claims := map[string]any{
		"iss": issuer, "aud": s.config.ClientID, "sub": account.ID, "email": account.Login,
		"iat": now.Unix(), "exp": now.Add(s.config.AccessTokenLife).Unix(),
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	body := part(map[string]string{"alg": "ES256", "kid": "1", "typ": "JWT"}) + "." + part(claims)
	sum := sha256.Sum256([]byte(body))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		return ""
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	v.FillBytes(signature[32:])
	return body + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func part(v any) string {
	data, _ := json.Marshal(v) // strings and numbers always encode
	return base64.RawURLEncoding.EncodeToString(data)
}

// jwks publishes the key of the ID tokens (RFC 7517).
func (s *Server) jwks(w http.ResponseWriter, _ *http.Request) {
	point, err := s.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		http.Error(w, "no key", http.StatusInternalServerError)
		return
	}
	coordinate := base64.RawURLEncoding.EncodeToString
	writeJSON(w, map[string]any{"keys": []map[string]string{
		{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1", "x": coordinate(point[1:33]), "y": coordinate(point[33:])},
	}})
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(body) // the client may have gone
}
