package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/config"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "evergrant.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, file string, environ []string, flags map[string]any) config.Config {
	t.Helper()
	c, err := config.Load(file, environ, flags)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestHubStartsWithoutAnyConfiguration(t *testing.T) {
	c := load(t, "", nil, nil)
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(c.ReplicaName, fmt.Sprintf("%s-%d-", host, os.Getpid())) {
		t.Errorf("replica name %q", c.ReplicaName)
	}
	c.ReplicaName = ""
	want := config.Config{
		Listen: "127.0.0.1:8080", PublicURL: "http://localhost:8080", DataDir: "./data",
		Key:     config.Key{File: "data/evergrant.key"},
		Plugins: config.Plugins{Dir: filepath.Join(filepath.Dir(executable), "plugins"), Sandbox: "best-effort", DiskMiB: 64, MaxSteps: 32, MaxBodyKiB: 4096, ConnectTimeout: 3 * time.Second},
		Log:     config.Log{Level: "info", Format: "text"}, ShutdownTimeout: 30 * time.Second,
		Renewal:          config.Renewal{Workers: 128, PerEndpoint: 64, Lease: time.Minute, Takeover: 15 * time.Minute, MinTTL: time.Minute, RequestTimeout: 30 * time.Second, ExchangeTimeout: 5 * time.Minute, SecondCopy: true},
		AuthorizationTTL: 15 * time.Minute,
		Session:          config.Session{Idle: 12 * time.Hour, Absolute: 30 * 24 * time.Hour},
		Audit:            config.Audit{Keep: 400 * 24 * time.Hour},
		History:          config.History{KeepCount: 20, KeepAge: 90 * 24 * time.Hour},
		Trash:            config.Trash{Keep: 720 * time.Hour},
		Backup:           config.Backup{Every: 24 * time.Hour, Keep: 14},
		Data:             config.Data{CompareWait: 10 * time.Minute},
		Tracing:          config.Tracing{Sample: 0.1},
		Limits:           config.Limits{StreamsPerKey: 500, Streams: 5000},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %s, %+v", diff(c, want), c)
	}
}

// diff names the fields that differ.
func diff(a, b config.Config) string {
	var names []string
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		if x, y := va.Field(i).Interface(), vb.Field(i).Interface(); !reflect.DeepEqual(x, y) {
			names = append(names, fmt.Sprintf("%s: %#v, %#v", va.Type().Field(i).Name, x, y))
		}
	}
	return strings.Join(names, "; ")
}

func TestFlagsWinOverVariablesOverFileOverDefaults(t *testing.T) {
	file := write(t, "listen: ':1'\ndata_dir: /file\npublic_url: https://file.example/\ndatabase:\n  url: sqlite:/file.db\nrenewal.workers: 5\ntls:\nsession: {}\n")
	c := load(t, file, []string{"EVERGRANT_LISTEN=:2", "EVERGRANT_DATA_DIR=/env", "EVERGRANT_DATABASE_URL=", "HOME=/root"},
		map[string]any{"listen": ":3", "data_dir": "", "log.level": "debug"})
	if c.Listen != ":3" || c.DataDir != "/env" || c.PublicURL != "https://file.example" || c.Database.URL != "sqlite:/file.db" ||
		c.Key.File != "/env/evergrant.key" || c.Log.Level != "debug" || c.Renewal.Workers != 5 {
		t.Errorf("%#v %s %s %s", c.Listen, c.DataDir, c.PublicURL, c.Database.URL)
	}
}

func TestEveryKeyHasAVariable(t *testing.T) {
	values := map[string]string{
		"LISTEN": "[::1]:9000", "PUBLIC_URL": "https://tokens.example.com", "DATA_DIR": "/d", "DATABASE_URL": "postgres://u@h/d",
		"KEY_FILE": "/k", "KEY": "a2V5", "PLUGINS_DIR": "/p", "DEFINITIONS_DIR": "/defs", "PLUGINS_SANDBOX": "required", "PLUGINS_RUNTIME_DIR": "/r", "PLUGINS_DISK_MIB": "8", "PLUGINS_MAX_STEPS": "64", "PLUGINS_MAX_BODY_KIB": "1024", "EGRESS_PRIVATE_NETWORKS": "10.0.0.0/8,::1", "TRUSTED_PROXIES": "10.0.0.7, 192.168.0.0/16,", "TLS_CERT_FILE": "/c",
		"TLS_KEY_FILE": "/tk", "LOG_LEVEL": "error", "LOG_FORMAT": "json", "SHUTDOWN_TIMEOUT": "1s", "RENEWAL_WORKERS": "7", "RENEWAL_PER_ENDPOINT": "9", "RENEWAL_PER_SECOND": "11",
		"RENEWAL_LEASE": "50s", "RENEWAL_TAKEOVER": "20m", "RENEWAL_MIN_TTL": "10s", "RENEWAL_REQUEST_TIMEOUT": "20s", "RENEWAL_EXCHANGE_TIMEOUT": "7m", "RENEWAL_SECOND_COPY": "false", "AUTHORIZATION_TTL": "5m",
		"SESSION_IDLE": "1h", "SESSION_ABSOLUTE": "2d", "DATA_MOVES": "true", "DATA_COMPARE_WAIT": "4m", "AUDIT_KEEP": "1d", "AUDIT_ANCHOR": "Mail", "HISTORY_KEEP_COUNT": "5", "HISTORY_KEEP_AGE": "3d", "TRASH_KEEP": "2d", "BACKUP_DIR": "/b", "BACKUP_EVERY": "6h", "BACKUP_KEEP": "3", "OIDC_ISSUER": "https://login.example.com", "OIDC_CLIENT_ID": "hub", "OIDC_CLIENT_SECRET": "s", "OIDC_TITLE": "Company", "OIDC_JOIN_AS": "viewer", "REPLICA_NAME": "hub-1",
		"PLUGINS_CONNECT_TIMEOUT": "4s", "METRICS_LISTEN": "127.0.0.1:9464", "TRACING_ENDPOINT": "http://localhost:4318", "TRACING_SAMPLE": "0.5", "LIMITS_STREAMS_PER_KEY": "3", "LIMITS_STREAMS": "4",
	}
	var environ []string
	for name, value := range values {
		environ = append(environ, "EVERGRANT_"+name+"="+value)
	}
	got := load(t, "", environ, nil)
	want := config.Config{
		Listen: "[::1]:9000", PublicURL: "https://tokens.example.com", DataDir: "/d", Database: config.Database{URL: "postgres://u@h/d"},
		Key: config.Key{File: "/k", Value: "a2V5"}, Plugins: config.Plugins{Dir: "/p", Sandbox: "required", RuntimeDir: "/r", DiskMiB: 8, MaxSteps: 64, MaxBodyKiB: 1024, ConnectTimeout: 4 * time.Second}, Definitions: config.Definitions{Dir: "/defs"}, Egress: config.Egress{PrivateNetworks: []string{"10.0.0.0/8", "::1"}}, TrustedProxies: []string{"10.0.0.7", "192.168.0.0/16"},
		TLS: config.TLS{CertFile: "/c", KeyFile: "/tk"}, Log: config.Log{Level: "error", Format: "json"}, ShutdownTimeout: time.Second,
		Renewal:          config.Renewal{Workers: 7, PerEndpoint: 9, PerSecond: 11, Lease: 50 * time.Second, Takeover: 20 * time.Minute, MinTTL: 10 * time.Second, RequestTimeout: 20 * time.Second, ExchangeTimeout: 7 * time.Minute},
		AuthorizationTTL: 5 * time.Minute, Session: config.Session{Idle: time.Hour, Absolute: 48 * time.Hour}, ReplicaName: "hub-1",
		Data:    config.Data{Moves: true, CompareWait: 4 * time.Minute},
		Audit:   config.Audit{Keep: 24 * time.Hour, Anchor: "Mail"},
		History: config.History{KeepCount: 5, KeepAge: 72 * time.Hour},
		Trash:   config.Trash{Keep: 48 * time.Hour},
		Backup:  config.Backup{Dir: "/b", Every: 6 * time.Hour, Keep: 3},
		OIDC:    config.OIDC{Issuer: "https://login.example.com", ClientID: "hub", ClientSecret: "s", Title: "Company", JoinAs: "viewer"},
		Metrics: config.Metrics{Listen: "127.0.0.1:9464"}, Tracing: config.Tracing{Endpoint: "http://localhost:4318", Sample: 0.5}, Limits: config.Limits{StreamsPerKey: 3, Streams: 4},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s", diff(got, want))
	}
	if len(values) != len(config.Keys()) {
		t.Errorf("%d variables for %d keys", len(values), len(config.Keys()))
	}
}

func TestAllProblemsComeAtOnceAndSayWhatToWrite(t *testing.T) {
	file := write(t, `
listne: ":1"
database: postgres://hub:plain-password@db/hub
log: {level: loud, colour: true}
renewal: {lease: 10, workers: many}
session: {idle: 3d, absolute: 1h}
key: {value: plain-key}
tls: {cert_file: cert.pem}
trusted_proxies: [10.0.0.0/8, proxy]
metrics: {listen: "9464"}
tracing: {endpoint: "localhost:4318", sample: often}
`)
	_, err := config.Load(file, []string{
		"EVERGRANT_LISTEN=8080", "EVERGRANT_DATABSE_URL=x", "EVERGRANT_PUBLIC_URL=https://hub.example/tokens?a",
		"EVERGRANT_SERVICE_HOST=10.0.0.1", "EVERGRANT_PORT=tcp://10.0.0.1:80", "EVERGRANT_DB_PORT_5432_TCP_ADDR=10.0.0.2",
		"EVERGRANT_TEST_POSTGRES=x", "EVERGRANT_CONFIG=x",
	}, map[string]any{"shutdown_timeout": "-1s", "key.value": "plain-key"})
	problems, ok := errors.AsType[*config.Error](err)
	if !ok {
		t.Fatalf("%v", err)
	}
	text := err.Error()
	for _, want := range []string{
		"listne (" + file + "): is not known; is listen meant?",
		"database (" + file + "): is a section",
		"log.colour (" + file + "): is not known; remove it",
		"log.level (" + file + "): write trace, debug",
		"renewal.lease (" + file + "): write a time with its unit, for example 30s",
		"renewal.workers (" + file + "): write a whole number",
		"session.absolute (" + file + "): write at least session.idle",
		"key.value (" + file + "): write it into the variable EVERGRANT_KEY",
		"key.value (flag): write it into the variable EVERGRANT_KEY",
		"tls: give both",
		`trusted_proxies (` + file + `): "proxy" is no address`,
		"listen (EVERGRANT_LISTEN): write an address and a port",
		"public_url (EVERGRANT_PUBLIC_URL): write the hub's own address, with a plain path at most",
		"EVERGRANT_DATABSE_URL: the variable is not known; is EVERGRANT_DATABASE_URL meant?",
		"metrics.listen (" + file + "): write an address and a port",
		"tracing.endpoint (" + file + "): write where OTLP over HTTP is taken",
		"tracing.sample (" + file + "): write a number, for example 0.1",
		"shutdown_timeout (flag): write a time from 0s to 1h",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no line says %q", want)
		}
	}
	if len(problems.Problems) != 18 || strings.Contains(text, "plain-") {
		t.Errorf("%d problems:\n%s", len(problems.Problems), text)
	}
}

func TestUnreadableFileIsAProblem(t *testing.T) {
	for _, file := range []string{"/nowhere/evergrant.yaml", write(t, "listen: [\n"), write(t, "just text\n"), write(t, "listen: ':1'\nlisten: ':2'\n")} {
		if _, err := config.Load(file, nil, nil); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
	load(t, write(t, ""), nil, nil)
}

func TestThePublicAddressMayHaveAPlainPath(t *testing.T) {
	for address, want := range map[string]string{
		"https://example.com/evergrant":      "https://example.com/evergrant",
		"https://example.com/evergrant/":     "https://example.com/evergrant",
		"https://example.com/a/token-hub.v2": "https://example.com/a/token-hub.v2",
		"https://example.com:8443":           "https://example.com:8443",
	} {
		if got := load(t, "", nil, map[string]any{"public_url": address}); got.PublicURL != want {
			t.Errorf("%s is %s", address, got.PublicURL)
		}
	}
	for _, address := range []string{
		"https://example.com/a//b", "https://example.com//a", "https://example.com/a/../b", "https://example.com/.", "https://example.com/%61",
		"https://example.com/a?b", "https://example.com/a#b", "https://example.com/a b", "https://example.com/é", "https://u@example.com/a", "/a", "https:///a",
	} {
		if _, err := config.Load("", nil, map[string]any{"public_url": address}); err == nil {
			t.Errorf("%s is taken", address)
		}
	}
}

func TestPublicAddressFollowsThePort(t *testing.T) {
	for listen, want := range map[string]string{":9000": "http://localhost:9000", "127.0.0.1:0": "", "0.0.0.0:80": "http://localhost:80"} {
		if got := load(t, "", nil, map[string]any{"listen": listen}); got.PublicURL != want {
			t.Errorf("%s is %q", listen, got.PublicURL)
		}
	}
	own := load(t, "", nil, map[string]any{"tls.cert_file": "c", "tls.key_file": "k"})
	if own.PublicURL != "https://localhost:8080" {
		t.Errorf("with a certificate: %q", own.PublicURL)
	}
}

func TestConfigurationPrintsNoSecret(t *testing.T) {
	for _, address := range []string{"postgres://hub:plain-password@db/hub", "postgres://db/hub?password=plain-password", "postgres://hub:plain%zz@db"} {
		c := load(t, "", []string{"EVERGRANT_KEY=plain-key", "EVERGRANT_DATABASE_URL=" + address}, nil)
		var out bytes.Buffer
		slog.New(slog.NewTextHandler(&out, nil)).Info("starting", "config", c, "database", c.Database, "key", c.Key)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			fmt.Fprintf(&out, verb+verb+verb, c, c.Database, c.Key)
		}
		if strings.Contains(out.String(), "plain") {
			t.Errorf("printed:\n%s", out.String())
		}
	}
}
