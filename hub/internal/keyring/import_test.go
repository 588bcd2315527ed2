package keyring

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/keydb"
	"github.com/evergrant/evergrant/sdk/provider"
)

func pkcs8(t *testing.T, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// Whatever is pasted is either taken or refused with a reason, and no refusal quotes it.
func TestWhatIsImportedIsTakenOrRefusedWithAReason(t *testing.T) {
	t.Parallel()
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	weak, _ := rsa.GenerateKey(rand.Reader, 1024)
	rs, _ := rsa.GenerateKey(rand.Reader, 2048)
	own, ends, err := selfSigned("crm", p256)
	if err != nil {
		t.Fatal(err)
	}
	foreign, _, _ := selfSigned("crm", other)
	account, _ := json.Marshal(map[string]string{"type": "service_account", "private_key_id": "google-kid", "private_key": pkcs8(t, rs)})
	sec1, _ := x509.MarshalECPrivateKey(p256)
	signs := provider.Key{Name: "client-key", Use: provider.KeySignature, Algorithms: []string{"RS256", "ES256"}}
	certifies := provider.Key{Name: "client-certificate", Use: provider.KeyClientCertificate}
	now := time.Now()
	for name, c := range map[string]struct {
		key    provider.Key
		text   string
		now    time.Time
		reason Reason
		want   keydb.Key
	}{
		"PKCS #8":                     {key: signs, text: pkcs8(t, p256), want: keydb.Key{Algorithm: "ES256"}},
		"SEC 1":                       {key: signs, text: string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})), want: keydb.Key{Algorithm: "ES256"}},
		"PKCS #1":                     {key: signs, text: string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rs)})), want: keydb.Key{Algorithm: "RS256"}},
		"a service account":           {key: signs, text: string(account), want: keydb.Key{Algorithm: "RS256", KeyID: "google-kid"}},
		"text around it":              {key: signs, text: "  key:\n" + pkcs8(t, p256) + "\nthanks", want: keydb.Key{Algorithm: "ES256"}},
		"nothing":                     {key: signs, reason: ReasonUnreadable},
		"no PEM":                      {key: signs, text: "secret words", reason: ReasonUnreadable},
		"JSON without a key":          {key: signs, text: "{}", reason: ReasonUnreadable},
		"broken PEM":                  {key: signs, text: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})), reason: ReasonUnreadable},
		"too long":                    {key: signs, text: strings.Repeat("x", mostImport+1), reason: ReasonUnreadable},
		"a passphrase":                {key: signs, text: string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")})), reason: ReasonEncrypted},
		"only a certificate":          {key: certifies, text: own, reason: ReasonNoPrivateKey},
		"RSA of 1024 bits":            {key: signs, text: pkcs8(t, weak), reason: ReasonWeak},
		"an algorithm not taken":      {key: provider.Key{Use: provider.KeySignature, Algorithms: []string{"ES384"}}, text: pkcs8(t, p256), reason: ReasonAlgorithm},
		"a certificate":               {key: certifies, text: pkcs8(t, p256) + own, want: keydb.Key{EndsAt: ends, Certificate: own}},
		"a certificate before it":     {key: certifies, text: own + pkcs8(t, p256), want: keydb.Key{EndsAt: ends, Certificate: own}},
		"no certificate":              {key: certifies, text: pkcs8(t, p256), reason: ReasonNoCertificate},
		"another key's certificate":   {key: certifies, text: pkcs8(t, p256) + foreign, reason: ReasonMismatch},
		"a certificate that is over":  {key: certifies, text: pkcs8(t, p256) + own, now: ends.Add(time.Second), reason: ReasonEnded},
		"a chain in the wrong order":  {key: certifies, text: pkcs8(t, p256) + foreign + own, reason: ReasonMismatch},
		"two certificates, own first": {key: certifies, text: pkcs8(t, p256) + own + foreign, want: keydb.Key{EndsAt: ends, Certificate: own + foreign}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := now
			if !c.now.IsZero() {
				at = c.now
			}
			k, err := read(c.key, c.text, at)
			if c.reason != "" {
				if invalid, ok := errors.AsType[*InvalidError](err); !ok || invalid.Reason != c.reason {
					t.Fatalf("got %v, want %s", err, c.reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if k.Algorithm != c.want.Algorithm || c.want.KeyID != "" && k.KeyID != c.want.KeyID || k.KeyID == "" || len(k.Private) == 0 ||
				k.Certificate != c.want.Certificate || k.EndsAt.Sub(c.want.EndsAt).Abs() > time.Minute && !c.want.EndsAt.IsZero() {
				t.Errorf("got %s %q with %d bytes, %q until %s", k.Algorithm, k.KeyID, len(k.Private), k.Certificate, k.EndsAt)
			}
		})
	}
}

// A new version is published before it is used, and the replaced one after.
func TestAVersionIsPublishedBeforeAndAfterItIsUsed(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	replaced := begun.Add(24 * time.Hour)
	versions := []keydb.Key{
		{Name: "k", KeyID: "second", Serial: 2, UsedFrom: replaced.Add(Lead)},
		{Name: "k", KeyID: "first", Serial: 1, UsedFrom: begun},
	}
	for _, c := range []struct {
		at        time.Time
		used      string
		published []string
	}{
		{begun.Add(-time.Minute), "first", []string{"second", "first"}},
		{replaced, "first", []string{"second", "first"}},
		{replaced.Add(Lead), "second", []string{"second", "first"}},
		{replaced.Add(Lead + Overlap), "second", []string{"second", "first"}},
		{replaced.Add(Lead + Overlap + time.Second), "second", []string{"second"}},
	} {
		used, ok := InUse(versions, c.at)
		var published []string
		for i, k := range versions {
			if stillPublished(versions[:i], k, c.at) {
				published = append(published, k.KeyID)
			}
		}
		if !ok || used.KeyID != c.used || !slices.Equal(published, c.published) {
			t.Errorf("at %s %s is used of %v, want %s of %v", c.at, used.KeyID, published, c.used, c.published)
		}
	}
	if _, ok := InUse(nil, begun); ok {
		t.Error("a key without versions is used")
	}
}
