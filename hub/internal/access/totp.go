package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // G505: RFC 6238 and every authenticator app
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// The parameters of codes that every authenticator app supports (RFC 6238).
const (
	codeStep   = 30 * time.Second
	codeDigits = 6
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
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/Evergrant:" + login, RawQuery: url.Values{
		"secret": {base32Plain.EncodeToString(secret)}, "issuer": {"Evergrant"},
	}.Encode()}
	return u.String()
}

// codeAt is the code of a time step (RFC 4226 section 5.3).
func codeAt(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, step) // a hash takes everything
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	number := binary.BigEndian.Uint32(sum[at:at+4]) & 0x7fffffff
	return fmt.Sprintf("%0*d", codeDigits, number%1_000_000)
}

// takeCode checks a code or a recovery code and spends it: each is good once.
func takeCode(f *store.SecondFactor, code string, now time.Time) bool {
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
