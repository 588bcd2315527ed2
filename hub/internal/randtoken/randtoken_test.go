package randtoken_test

import (
	"net/url"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/randtoken"
)

func TestSecretsDifferAndStandInAnAddressAsTheyAre(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		secret := randtoken.New()
		if seen[secret] {
			t.Fatal("a secret came twice")
		}
		seen[secret] = true
		if len(secret) != 43 || url.QueryEscape(secret) != secret || url.PathEscape(secret) != secret {
			t.Fatalf("%d characters, not fit for an address", len(secret))
		}
	}
}

// Rows hold hashes that were made before: the form must not change.
func TestAHashIsSHA256InHexadecimalDigits(t *testing.T) {
	t.Parallel()
	if got := randtoken.Hash("abc"); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("hash of abc is %s", got)
	}
}
