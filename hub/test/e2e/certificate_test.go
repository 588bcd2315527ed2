package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// writeCertificate writes a self-signed certificate for the loopback address.
func writeCertificate(t *testing.T, certFile, keyFile string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// servedSerial is the number of the certificate that a hub shows.
func servedSerial(t *testing.T, address string) int64 {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(strings.Replace(address, "localhost", "127.0.0.1", 1), "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestAReplacedCertificateIsServedWithoutARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	writeCertificate(t, certFile, keyFile, 1)
	flags := map[string]any{"tls.cert_file": certFile, "tls.key_file": keyFile}
	r := hubtest.StartHubIn(t, filepath.Join(dir, "data"), flags)
	served := func(when string, want int64) {
		t.Helper()
		if got := servedSerial(t, r.Hub.URL()); got != want {
			t.Errorf("%s certificate %d is served, not %d", when, got, want)
		}
	}
	served("at first", 1)
	cfg, err := hub.LoadConfig("", nil, flags)
	if err != nil {
		t.Fatal(err)
	}
	writeCertificate(t, certFile, keyFile, 22)
	r.Hub.Reload(cfg)
	served("after it was replaced", 22)
	if err := os.WriteFile(certFile, []byte("half a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.Hub.Reload(cfg)
	served("while the new one cannot be used", 22)
	if log := r.Log.String(); strings.Count(log, "reload TLS certificate failed") != 1 {
		t.Errorf("the log does not say once that it cannot be used:\n%s", log)
	}
	writeCertificate(t, certFile, keyFile, 333)
	r.Hub.Reload(cfg)
	served("after it was mended", 333)
}
