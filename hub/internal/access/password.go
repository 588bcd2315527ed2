package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Sizes of a hash and of its salt, in bytes.
const (
	argonKey  = 32
	argonSalt = 16
)

// argonCost are the parameters of argon2id; memory is in KiB.
type argonCost struct {
	time, memory uint32
	threads      uint8
}

// recommended is the second recommendation of RFC 9106 section 4: 64 MiB.
var recommended = argonCost{time: 3, memory: 64 << 10, threads: 2}

// MinPassword is the least length of a password, in bytes (NIST SP 800-63B requires 8;
// access to tokens deserves more).
const MinPassword = 10

// MaxPassword bounds the work that a stranger can ask for.
const MaxPassword = 256

// ErrWeakPassword is a password of the wrong length.
var ErrWeakPassword = rule(fmt.Sprintf("a password has %d to %d characters", MinPassword, MaxPassword))

// hashPassword returns the PHC string of a new password, in its turn. Errors:
// ErrWeakPassword, TooManyError, the context's.
func (a *Access) hashPassword(ctx context.Context, password string) (string, error) {
	if len(password) < MinPassword || len(password) > MaxPassword {
		return "", ErrWeakPassword
	}
	if err := a.queue.enter(ctx, ""); err != nil {
		return "", err
	}
	defer a.queue.leave()
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails
	return hashOf(password, salt, costOfHashes), nil
}

// hashOf is the PHC string of a password. It takes as much memory as the cost says: the
// caller has a place in the queue.
func hashOf(password string, salt []byte, cost argonCost) string {
	key := argon2.IDKey([]byte(password), salt, cost.time, cost.memory, cost.threads, argonKey)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, cost.memory, cost.time, cost.threads, encode(salt), encode(key))
}

var errBadHash = errors.New("the stored password hash cannot be read")

// checkPassword reports whether the password fits the PHC string. The caller has a place
// in the queue.
func checkPassword(phc, password string) (bool, error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || len(password) > MaxPassword {
		return false, errBadHash
	}
	var memory, time uint32
	var threads uint8
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &threads); err != nil {
		return false, errBadHash
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, errBadHash
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil {
		return false, errBadHash
	}
	got := argon2.IDKey([]byte(password), salt, time, memory, threads, argonKey)
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}
