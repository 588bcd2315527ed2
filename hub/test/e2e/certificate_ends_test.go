package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"html"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// clientCertificate is a private key with its certificate, in PEM.
func clientCertificate(t *testing.T, ends time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: ends, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})) + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
}

// The end of a client certificate is on the page of keys, in the forecast and in the calendar,
// until another one is in use.
func TestTheEndOfACertificateIsForecastAndWarnedOf(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	service(t, r, "bank", "oauth2", map[string]any{
		"client_id": "hub", "options": map[string]any{"token_endpoint": "https://127.0.0.1:1/token", "grants": "client_credentials", "client_auth": "self_signed_tls_client_auth"},
	})
	boss := r.Owner(t)
	keys := func(act string, form url.Values) {
		t.Helper()
		if status, page, _ := boss.Ask("POST", "/services/bank/keys/client-certificate/"+act, form); status != http.StatusSeeOther {
			t.Fatalf("%s: %d\n%s", act, status, page)
		}
	}
	forecast := func() string {
		t.Helper()
		var listed struct {
			Items []struct{ Connection, Service, Reason string }
		}
		r.Admin.Must(t, "GET", "/api/v1/forecast", nil, &listed)
		var lines []string
		for _, item := range listed.Items {
			lines = append(lines, item.Connection+item.Service+" "+item.Reason)
		}
		return strings.Join(lines, ", ")
	}
	keys("import", url.Values{"private_key": {clientCertificate(t, time.Now().Add(10*24*time.Hour))}})
	if got := forecast(); got != "bank client_certificate_ends" {
		t.Errorf("the forecast is %q", got)
	}
	const warns = "The client certificate ends on"
	if _, page, _ := boss.Ask("GET", "/services/bank/keys", nil); strings.Count(page, warns) != 1 {
		t.Errorf("the page of keys does not say %q:\n%s", warns, page)
	}
	address := regexp.MustCompile(`/calendar/[^"<\s]+\.ics[^"<\s]*`).FindString(html.UnescapeString(boss.Follow("/settings/calendar", url.Values{})))
	if _, ics, _ := boss.Ask("GET", address, nil); !strings.Contains(ics, "bank: client certificate ends") || !strings.Contains(strings.ReplaceAll(ics, "\r\n ", ""), "/services/bank/keys") {
		t.Errorf("the calendar at %q is\n%s", address, ics)
	}
	keys("make", nil) // for two years
	if got := forecast(); got != "bank client_certificate_ends" {
		t.Errorf("the forecast is %q with the next one in use", got)
	}
	if _, page, _ := boss.Ask("GET", "/services/bank/keys", nil); strings.Contains(page, warns) {
		t.Error("the page of keys warns of a certificate that was replaced")
	}
}
