package access

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// argon2id parameters (RFC 9106 section 4, second recommendation): 64 MiB.
const (
	argonTime    = 3
	argonMemory  = 64 << 10 // KiB
	argonThreads = 2
	argonKey     = 32
	argonSalt    = 16
)

// MinPassword is the least length of a password, in bytes (NIST SP 800-63B asks
// for 8; an administrator of tokens deserves more).
const MinPassword = 10

// MaxPassword bounds the work that a stranger can ask for.
const MaxPassword = 256

// ErrWeakPassword is a password of the wrong length.
var ErrWeakPassword = fmt.Errorf("a password has %d to %d characters", MinPassword, MaxPassword)

// hashing bounds how many passwords are hashed at one time: each takes 64 MiB.
var hashing = make(chan struct{}, 2)

func derive(password string, salt []byte, time, memory uint32, threads uint8) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password), salt, time, memory, threads, argonKey)
}

// HashPassword returns the PHC string of a password.
func HashPassword(password string) (string, error) {
	if len(password) < MinPassword || len(password) > MaxPassword {
		return "", ErrWeakPassword
	}
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails
	key := derive(password, salt, argonTime, argonMemory, argonThreads)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, encode(salt), encode(key)), nil
}

var errBadHash = errors.New("the stored password hash cannot be read")

// checkPassword reports whether the password fits the PHC string.
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
	got := derive(password, salt, time, memory, threads)
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}
