package googletest_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/plugins/google/googletest"
)

func decode(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheIDTokenIsSignedByThePublishedKey(t *testing.T) {
	g := newCloud(t, googletest.Config{})
	discovery, err := http.Get(g.URL + "/.well-known/openid-configuration")
	_, where := g.read(discovery, err)
	certs, err := http.Get(where["jwks_uri"].(string))
	_, published := g.read(certs, err)
	key := published["keys"].([]any)[0].(map[string]any)
	public := rsa.PublicKey{
		N: new(big.Int).SetBytes(decode(t, key["n"].(string))), E: int(new(big.Int).SetBytes(decode(t, key["e"].(string))).Int64()),
	}
	parts := strings.Split(g.connect("nonce", "n0nce")["id_token"].(string), ".")
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&public, crypto.SHA256, sum[:], decode(t, parts[2])); err != nil {
		t.Error(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(decode(t, parts[1]), &claims); err != nil {
		t.Fatal(err)
	}
	if claims["iss"] != where["issuer"] || claims["aud"] != "hub" || claims["nonce"] != "n0nce" || claims["email"] != "anna@example.test" {
		t.Errorf("claims %v", claims)
	}
}
