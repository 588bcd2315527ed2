package keyring

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store/keydb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// certificateLife is that of certificates that the hub signs itself.
const certificateLife = 2 * 365 * 24 * time.Hour

// Make makes the next version of a key. Errors: *MissingError if the service declares none
// of that name; those of a key that has to be imported.
func (r *Keyring) Make(ctx context.Context, svc service.Service, name string) (keydb.Key, error) {
	d, ok := svc.Key(name)
	if !ok {
		return keydb.Key{}, &MissingError{Service: svc.Name, Key: name}
	}
	if d.Origin == provider.KeyImported {
		return keydb.Key{}, &InvalidError{Reason: ReasonImportOnly}
	}
	algorithm := "ES256"
	if len(d.Algorithms) > 0 {
		algorithm = d.Algorithms[0]
	}
	private, err := generate(algorithm)
	if err != nil {
		return keydb.Key{}, err
	}
	k := keydb.Key{Origin: provider.KeyFromHub, Algorithm: algorithm}
	if d.Use == provider.KeyClientCertificate {
		k.Algorithm = ""
		if k.Certificate, k.EndsAt, err = selfSigned(svc.Name, private); err != nil {
			return keydb.Key{}, err
		}
	}
	if err := hold(&k, private); err != nil {
		return keydb.Key{}, err
	}
	return r.add(ctx, svc, d, k)
}

// generate makes a key for an algorithm of JWS.
func generate(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "RS256", "PS256":
		return rsa.GenerateKey(rand.Reader, 3072)
	case "EdDSA":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	}
	return nil, fmt.Errorf("the hub makes no keys for %q", algorithm)
}

// selfSigned is a certificate for client authentication by RFC 8705 section 2.2: the
// service knows the certificate itself.
func selfSigned(name string, private crypto.Signer) (chain string, ends time.Time, err error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return "", time.Time{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "evergrant " + name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife).Truncate(time.Second),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign the certificate: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), template.NotAfter, nil
}
