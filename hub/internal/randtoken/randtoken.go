// Package randtoken makes the secrets that links, states and browsers carry: they mean
// nothing by themselves, and only their hash is kept.
package randtoken

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// New returns 256 random bits in 43 characters that are safe in an address.
func New() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Hash is what is kept of a secret: its SHA-256 in hexadecimal digits. Secrets of New
// need no slow hash.
func Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
