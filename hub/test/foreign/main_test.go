package foreign

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// served are the certificate and the key, in PEM, of the servers that serve TLS. The
// process trusts it, because the hub trusts what the system does.
var served struct{ certificate, key string }

func TestMain(m *testing.M) {
	if err := serveTLS(); err != nil {
		panic(err)
	}
	hubtest.Main(m)
}

func serveTLS() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "server"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	served.certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	served.key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return trust(served.certificate)
}

// trust makes a certificate the only root of this process.
func trust(certificate string) error {
	dir, err := os.MkdirTemp("", "trusted")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(file, []byte(certificate), 0o600); err != nil {
		return err
	}
	_, _ = os.Setenv("SSL_CERT_FILE", file), os.Setenv("SSL_CERT_DIR", dir)
	_, err = x509.SystemCertPool() // reads the roots once
	return err
}
