package doctor_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/config"
	"github.com/evergrant/evergrant/hub/internal/doctor"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// answering is what stands at the public address; each handler takes its turn.
func answering(t *testing.T) (address string, is *http.HandlerFunc) {
	t.Helper()
	is = new(http.HandlerFunc)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*is)(w, r) }))
	t.Cleanup(server.Close)
	return server.URL, is
}

// Whatever answers at the public address, the doctor tells whether it is this hub.
func TestThePublicAddressLeadsToThisHub(t *testing.T) {
	t.Parallel()
	cfg, s := used(t)
	var is *http.HandlerFunc
	cfg.PublicURL, is = answering(t)
	proves := func(of *store.Store) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			proof, err := of.Audit.InstanceProof(r.Context(), r.URL.Query().Get("nonce"))
			if err != nil {
				t.Error(err)
			}
			w.Header().Set(doctor.InstanceHeader, proof)
		}
	}
	_, other := used(t)
	for name, tt := range map[string]struct {
		is    http.HandlerFunc
		level doctor.Level
		says  string
	}{
		"this hub":       {proves(s), doctor.OK, "leads to this hub"},
		"another hub":    {proves(other), doctor.Fail, "another database or key"},
		"something else": {func(http.ResponseWriter, *http.Request) {}, doctor.Fail, "something else"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example", http.StatusFound)
		}, doctor.Fail, "elsewhere"},
		"no such page": {http.NotFound, doctor.Fail, "404"},
	} {
		*is = tt.is
		found := looked(t, doctor.Options{Config: cfg})
		expect(t, found, "callback", tt.level, tt.says)
		if t.Failed() {
			t.Fatal(name)
		}
	}
	expect(t, looked(t, doctor.Options{Config: cfg}), "callback", doctor.Warn, "this machine alone")
	noDatabase := fresh(t)
	noDatabase.PublicURL = cfg.PublicURL
	*is = func(http.ResponseWriter, *http.Request) {}
	expect(t, looked(t, doctor.Options{Config: noDatabase}), "callback", doctor.Warn, "which hub it is cannot be told")
	cfg.PublicURL = "http://127.0.0.1:1"
	expect(t, looked(t, doctor.Options{Config: cfg}), "callback", doctor.Fail, "does not answer")
	noDatabase.PublicURL = cfg.PublicURL
	expect(t, looked(t, doctor.Options{Config: noDatabase}), "callback", doctor.Warn, "was never started")
	cfg.PublicURL = "http://nowhere.invalid"
	found := looked(t, doctor.Options{Config: cfg})
	expect(t, found, "callback", doctor.Warn, "not encrypted")
	expect(t, found, "callback", doctor.Fail, "cannot be resolved")
}

func TestAHubThatIsNotReadySaysWhy(t *testing.T) {
	t.Parallel()
	cfg := fresh(t)
	var is *http.HandlerFunc
	cfg.PublicURL, is = answering(t)
	for _, tt := range []struct {
		status     int
		body, says string
		level      doctor.Level
	}{
		{http.StatusOK, "ready\n", "can do its job", doctor.OK},
		{http.StatusServiceUnavailable, "database: away\nclock: stepped\n", "clock: stepped", doctor.Fail},
		{http.StatusServiceUnavailable, "", "answers 503", doctor.Warn},
		{http.StatusNotFound, "", "answers 404", doctor.Warn},
	} {
		*is = func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(tt.body))
		}
		expect(t, looked(t, doctor.Options{Config: cfg}), "ready", tt.level, tt.says)
	}
	cfg.PublicURL = "http://127.0.0.1:1"
	expect(t, looked(t, doctor.Options{Config: cfg}), "ready", doctor.Warn, "no hub answers")
}

// Whether people would be told of trouble is known before there is any.
func TestChannelsAreLookedAtWithoutAMessage(t *testing.T) {
	t.Parallel()
	cfg, s := used(t)
	server, is := answering(t)
	*is = func(http.ResponseWriter, *http.Request) { t.Error("something was sent") }
	at, err := url.Parse(server)
	must(t, err)
	now := time.Now()
	save := func(title string, kind channel.Kind, disabled time.Time, settings map[string]string) string {
		id := store.NewID()
		must(t, s.Notices.SaveChannel(t.Context(), noticedb.Channel{ID: id, Title: title, Kind: string(kind), Settings: settings, CreatedAt: now, UpdatedAt: now, DisabledAt: disabled}))
		return id
	}
	mail := map[string]string{"host": at.Hostname(), "port": at.Port(), "from": "hub@hub.example", "encryption": "none"}
	good := save("good mail", channel.SMTP, time.Time{}, mail)
	save("no mail", channel.SMTP, time.Time{}, map[string]string{"host": "127.0.0.1", "port": "1", "from": "hub@hub.example", "encryption": "none"})
	save("wrong mail", channel.SMTP, time.Time{}, map[string]string{})
	save("switched off", channel.SMTP, now, mail)
	save("a webhook", channel.Webhook, time.Time{}, map[string]string{})
	must(t, s.People.SaveContact(t.Context(), policy.Contact{ID: store.NewID(), Title: "Anna", Lang: "en", Zone: "UTC", Addresses: []policy.Address{{Channel: good, To: "anna@example.test"}}}, now))
	found := looked(t, doctor.Options{Config: cfg})
	expect(t, found, "channels", doctor.OK, "good mail is set up")
	expect(t, found, "channels", doctor.Fail, "no mail: 127.0.0.1:1 takes no connection")
	expect(t, found, "channels", doctor.Fail, "wrong mail")
	expect(t, found, "channels", doctor.Warn, "switched off")
	expect(t, found, "channels", doctor.Warn, "no contact gets what has no other recipient")
}

func TestProxiesThatAreWholeNetworksAreToldOf(t *testing.T) {
	t.Parallel()
	cfg := fresh(t)
	cfg.TrustedProxies = []string{"10.0.0.0/8"}
	expect(t, looked(t, doctor.Options{Config: cfg}), "proxies", doctor.Warn, "10.0.0.0/8")
	cfg.TrustedProxies = []string{"10.0.0.7"}
	expect(t, looked(t, doctor.Options{Config: cfg}), "proxies", doctor.OK, "10.0.0.7")
}

func TestTheEndOfACertificateIsToldInTime(t *testing.T) {
	t.Parallel()
	cfg := fresh(t)
	for _, tt := range []struct {
		left  time.Duration
		level doctor.Level
		says  string
	}{{90 * 24 * time.Hour, doctor.OK, "good until"}, {3 * 24 * time.Hour, doctor.Warn, "days more"}, {-time.Hour, doctor.Fail, "over since"}} {
		cfg.TLS = certificate(t, tt.left)
		expect(t, looked(t, doctor.Options{Config: cfg}), "tls", tt.level, tt.says)
	}
	cfg.TLS.KeyFile = cfg.TLS.CertFile
	expect(t, looked(t, doctor.Options{Config: cfg}), "tls", doctor.Fail, "cannot be used")
}

// certificate makes one that ends after a time.
func certificate(t *testing.T, left time.Duration) config.TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	made := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-365 * 24 * time.Hour), NotAfter: time.Now().Add(left)}
	data, err := x509.CreateCertificate(rand.Reader, &made, &made, &key.PublicKey, key)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	dir := t.TempDir()
	files := config.TLS{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	must(t, os.WriteFile(files.CertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: data}), 0o600))
	must(t, os.WriteFile(files.KeyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	return files
}
