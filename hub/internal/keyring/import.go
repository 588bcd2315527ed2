package keyring

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store/keydb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Reason is why a key cannot be taken.
type Reason string

// The reasons.
const (
	ReasonImportOnly    Reason = "import_only"    // the hub does not make such a key
	ReasonMadeOnly      Reason = "made_only"      // such a key is made by the hub
	ReasonUnreadable    Reason = "unreadable"     // neither PEM nor a service account's JSON
	ReasonEncrypted     Reason = "encrypted"      // the key is protected by a passphrase
	ReasonNoPrivateKey  Reason = "no_private_key" // only public parts
	ReasonAlgorithm     Reason = "algorithm"      // the service accepts none that the key can do
	ReasonWeak          Reason = "weak"           // RSA of less than 2048 bits
	ReasonNoCertificate Reason = "no_certificate" // a client certificate is needed
	ReasonMismatch      Reason = "mismatch"       // the certificate is of another key
	ReasonEnded         Reason = "ended"          // the certificate has expired
)

// InvalidError is a key that cannot be taken. Its text never quotes what was entered.
type InvalidError struct{ Reason Reason }

// Error implements error.
func (e *InvalidError) Error() string { return "the key cannot be taken: " + string(e.Reason) }

// Refusal implements act.RefusalError.
func (e *InvalidError) Refusal() bool { return true }

// mostImport bounds what is read, in bytes.
const mostImport = 64 << 10

// Import takes a key that the service or a certification authority has issued: PEM with the
// private key and, for a client certificate, its chain; or the JSON file of a service
// account with private_key and private_key_id. It is used at once. Errors: *InvalidError,
// *MissingError.
func (r *Keyring) Import(ctx context.Context, svc service.Service, name, text string) (keydb.Key, error) {
	d, ok := svc.Key(name)
	if !ok {
		return keydb.Key{}, &MissingError{Service: svc.Name, Key: name}
	}
	if d.Origin == provider.KeyFromHub {
		return keydb.Key{}, &InvalidError{Reason: ReasonMadeOnly}
	}
	k, err := read(d, text, time.Now())
	if err != nil {
		return keydb.Key{}, err
	}
	return r.add(ctx, svc, d, k)
}

// read reads an imported key.
func read(d provider.Key, text string, now time.Time) (keydb.Key, error) {
	k := keydb.Key{Origin: provider.KeyImported}
	if len(text) > mostImport {
		return k, &InvalidError{Reason: ReasonUnreadable}
	}
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		var account struct {
			PrivateKey   string `json:"private_key"`
			PrivateKeyID string `json:"private_key_id"`
		}
		if json.Unmarshal([]byte(text), &account) != nil {
			return k, &InvalidError{Reason: ReasonUnreadable}
		}
		text, k.KeyID = account.PrivateKey, account.PrivateKeyID
	}
	private, chain, err := blocks([]byte(text))
	if err != nil {
		return k, err
	}
	if key, ok := private.(*rsa.PrivateKey); ok && key.N.BitLen() < 2048 {
		return k, &InvalidError{Reason: ReasonWeak}
	}
	if d.Use == provider.KeyClientCertificate {
		k.EndsAt, err = checkChain(private, chain, now)
	} else {
		k.Algorithm, err = algorithmFor(private, d.Algorithms)
	}
	if err != nil {
		return k, err
	}
	for _, c := range chain {
		k.Certificate += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return k, hold(&k, private)
}

// blocks reads the private key and the certificates of a PEM text.
func blocks(text []byte) (private crypto.Signer, chain []*x509.Certificate, err error) {
	found := false
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		found = true
		switch {
		case block.Type == "CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, nil, &InvalidError{Reason: ReasonUnreadable}
			}
			chain = append(chain, c)
		case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return nil, nil, &InvalidError{Reason: ReasonEncrypted}
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			if private, err = parsePrivate(block.Bytes); err != nil {
				return nil, nil, err
			}
		}
	}
	switch {
	case private != nil:
		return private, chain, nil
	case found:
		return nil, nil, &InvalidError{Reason: ReasonNoPrivateKey}
	}
	return nil, nil, &InvalidError{Reason: ReasonUnreadable}
}

// parsePrivate reads PKCS #8, PKCS #1 and SEC 1.
func parsePrivate(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, &InvalidError{Reason: ReasonUnreadable}
}

// checkChain checks that the first certificate is of the key and in force, and returns when
// the first of the chain ends.
func checkChain(private crypto.Signer, chain []*x509.Certificate, now time.Time) (ends time.Time, err error) {
	if len(chain) == 0 {
		return ends, &InvalidError{Reason: ReasonNoCertificate}
	}
	public, ok := private.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(chain[0].PublicKey) {
		return ends, &InvalidError{Reason: ReasonMismatch}
	}
	for _, c := range chain {
		if ends.IsZero() || c.NotAfter.Before(ends) {
			ends = c.NotAfter
		}
	}
	if !ends.After(now) {
		return ends, &InvalidError{Reason: ReasonEnded}
	}
	return ends, nil
}

// algorithmFor is the first of the accepted algorithms that the key can do.
func algorithmFor(private crypto.Signer, accepted []string) (string, error) {
	var can []string
	switch key := private.(type) {
	case *rsa.PrivateKey:
		can = []string{"RS256", "PS256"}
	case *ecdsa.PrivateKey:
		switch key.Curve {
		case elliptic.P256():
			can = []string{"ES256"}
		case elliptic.P384():
			can = []string{"ES384"}
		}
	case ed25519.PrivateKey:
		can = []string{"EdDSA"}
	}
	for _, a := range accepted {
		if slices.Contains(can, a) {
			return a, nil
		}
	}
	return "", &InvalidError{Reason: ReasonAlgorithm}
}

// hold puts a private key into a version, and names it by the thumbprint of its public part
// (RFC 7638) unless it has a name.
func hold(k *keydb.Key, private crypto.Signer) (err error) {
	if k.Private, err = x509.MarshalPKCS8PrivateKey(private); err != nil {
		return fmt.Errorf("encode the key: %w", err)
	}
	if k.KeyID != "" {
		return nil
	}
	thumbprint, err := (&jose.JSONWebKey{Key: private.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return fmt.Errorf("name the key: %w", err)
	}
	k.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return nil
}

// signerOf opens the private key of a version.
func signerOf(k keydb.Key) (crypto.Signer, error) {
	private, err := parsePrivate(k.Private)
	if err != nil {
		return nil, fmt.Errorf("the stored key %s cannot be read: %w", k.KeyID, err)
	}
	return private, nil
}
