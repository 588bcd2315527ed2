package emulator

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// MintHex returns n random bytes as 2n hexadecimal digits.
func MintHex(n int) string { return hex.EncodeToString(random(n)) }

// MintURL returns n random bytes in the letters that need no escaping in a URL.
func MintURL(n int) string { return base64.RawURLEncoding.EncodeToString(random(n)) }

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// Fingerprint identifies a secret without revealing it: the first 12 hexadecimal digits
// of its SHA-256. The log holds fingerprints, so that a test with a token finds the
// requests in which it was presented.
func Fingerprint(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:6])
}
