package channel

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Signatures of Standard Webhooks 1: HMAC-SHA256 over "id.timestamp.body" with the
// bytes that follow whsec_ in base64.
const (
	signingPrefix = "whsec_"
	signingScheme = "v1,"
	// tolerance is how far the clock of the sender and that of the receiver may
	// differ, under way included.
	tolerance = 5 * time.Minute
)

// The errors of Verify.
var (
	ErrSigningSecret = errors.New("a webhook's secret is whsec_ and 24 to 64 bytes in base64")
	ErrNoSignature   = errors.New("the webhook is not signed: webhook-id, webhook-timestamp or webhook-signature is missing")
	ErrTimestamp     = errors.New("the webhook's timestamp is more than 5 minutes away")
	ErrSignature     = errors.New("no signature of the webhook fits")
)

// NewSecret returns a new secret for the setting secret of a webhook.
func NewSecret() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return signingPrefix + base64.StdEncoding.EncodeToString(key)
}

// Verify checks a webhook as a receiver does: one of the signatures fits and the
// timestamp is less than 5 minutes from now. It is what tests and examples use.
func Verify(secret string, header http.Header, body []byte, now time.Time) error {
	key, err := signingKey(secret)
	if err != nil {
		return err
	}
	id, timestamp, signed := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp"), header.Get("Webhook-Signature")
	if id == "" || timestamp == "" || signed == "" {
		return ErrNoSignature
	}
	at, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(at, 0)).Abs() > tolerance {
		return ErrTimestamp
	}
	want := []byte(sign(key, id, timestamp, body))
	for one := range strings.FieldsSeq(signed) {
		if hmac.Equal([]byte(one), want) {
			return nil
		}
	}
	return ErrSignature
}

// signatures signs with every secret that is set, separated by spaces, so that a
// receiver finds one that it can check while secrets change.
func signatures(id string, at time.Time, body []byte, secrets ...string) string {
	var out []string
	for _, secret := range secrets {
		if key, err := signingKey(secret); err == nil {
			out = append(out, sign(key, id, strconv.FormatInt(at.Unix(), 10), body))
		}
	}
	return strings.Join(out, " ")
}

func sign(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return signingScheme + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signingKey reads a secret; receivers show it with and without its prefix.
func signingKey(secret string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, signingPrefix))
	if err != nil || len(key) < 24 || len(key) > 64 {
		return nil, ErrSigningSecret
	}
	return key, nil
}
