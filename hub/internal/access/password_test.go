package access

import (
	"strings"
	"testing"
)

// Hashes of a release cost what RFC 9106 recommends, and any cost is read back from the
// hash.
func TestHashesCostWhatIsRecommended(t *testing.T) {
	const secret = "correct horse battery"
	for cost, begins := range map[argonCost]string{
		recommended:                       "$argon2id$v=19$m=65536,t=3,p=2$",
		{time: 2, memory: 64, threads: 1}: "$argon2id$v=19$m=64,t=2,p=1$",
	} {
		phc := hashOf(secret, []byte("sixteen bytes ok"), cost)
		if !strings.HasPrefix(phc, begins) {
			t.Errorf("a hash begins %.40s, want %s", phc, begins)
		}
		for password, want := range map[string]bool{secret: true, secret + "s": false} {
			if got, err := checkPassword(phc, password); got != want || err != nil {
				t.Errorf("%s: %q is right: %v, %v", begins, password, got, err)
			}
		}
	}
}
