package access

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// Codes are those that every authenticator app supports (RFC 6238): six digits of SHA-1,
// which are the library's defaults.
const (
	codeStep = 30 * time.Second
	// codeDrift is how many steps a clock may be off.
	codeDrift = 1
	// recoveryCodes are made at a time.
	recoveryCodes = 10
)

var base32Plain = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewSecondFactor makes a secret for an authenticator app, and the address that the
// app reads it from. It counts once ConfirmSecondFactor has seen a code of it.
func NewSecondFactor(login string) (secret []byte, address string) {
	secret = make([]byte, 20)
	_, _ = rand.Read(secret) // never fails
	return secret, SecondFactorAddress(login, secret)
}

// SecondFactorAddress is the otpauth: address of a secret.
func SecondFactorAddress(login string, secret []byte) string {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "Evergrant", AccountName: login, Secret: secret})
	if err != nil {
		return "" // only without a login, which nobody is
	}
	return key.URL()
}

// codeAt is the code of a time step. totp.Validate will not do: it does not tell of which
// step a code was, and each step is good once.
func codeAt(secret []byte, step int64) string {
	code, _ := hotp.GenerateCode(base32Plain.EncodeToString(secret), uint64(step)) // it fails only for what is not base 32
	return code
}

// takeCode checks a code or a recovery code and spends it: each is good once.
func takeCode(f *peopledb.SecondFactor, code string, now time.Time) bool {
	code = strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(code))
	present := now.Unix() / int64(codeStep/time.Second)
	for step := present - codeDrift; step <= present+codeDrift; step++ {
		if step > f.LastStep && subtle.ConstantTimeCompare([]byte(codeAt(f.Secret, step)), []byte(code)) == 1 {
			f.LastStep = step
			return true
		}
	}
	at := slices.Index(f.Recovery, randtoken.Hash(code))
	if at < 0 || code == "" {
		return false
	}
	f.Recovery = slices.Delete(f.Recovery, at, at+1)
	return true
}

// newRecovery makes recovery codes; their hashes are kept.
func newRecovery() (codes, hashes []string) {
	for range recoveryCodes {
		b := make([]byte, 10)
		_, _ = rand.Read(b) // never fails
		code := strings.ToLower(base32Plain.EncodeToString(b))
		codes = append(codes, code[:4]+"-"+code[4:8]+"-"+code[8:12]+"-"+code[12:])
		hashes = append(hashes, randtoken.Hash(code))
	}
	return codes, hashes
}
