package config

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// derive fills in what follows from other values or from the machine.
func derive(c *Config) {
	if c.PublicURL == "" {
		c.PublicURL = publicURL(c.Listen, c.TLS.CertFile != "")
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	if c.Key.File == "" {
		c.Key.File = filepath.Join(c.DataDir, "evergrant.key")
	}
	if c.Plugins.Dir == "" {
		c.Plugins.Dir = "plugins"
		if executable, err := os.Executable(); err == nil {
			c.Plugins.Dir = filepath.Join(filepath.Dir(executable), "plugins")
		}
	}
	if c.OIDC.Title == "" {
		if u, err := url.Parse(c.OIDC.Issuer); err == nil {
			c.OIDC.Title = u.Hostname()
		}
	}
	if c.ReplicaName == "" {
		host, err := os.Hostname()
		if err != nil || host == "" {
			host = "evergrant"
		}
		c.ReplicaName = fmt.Sprintf("%s-%d-%s", host, os.Getpid(), strings.ToLower(rand.Text()[:6]))
	}
}

// publicURL is the address on this machine; "" if the system chooses the port.
func publicURL(listen string, tls bool) string {
	_, port, err := net.SplitHostPort(listen)
	if err != nil || port == "0" {
		return ""
	}
	if tls {
		return "https://localhost:" + port
	}
	return "http://localhost:" + port
}

// check complains about values that are readable but wrong.
func check(c *Config, complain func(key, text string)) {
	checkAddresses(c, complain)
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		complain("tls", "give both tls.cert_file and tls.key_file, or neither")
	}
	if !slices.Contains([]string{"trace", "debug", "info", "warn", "error"}, c.Log.Level) {
		complain("log.level", "write trace, debug, info, warn or error")
	}
	if !slices.Contains([]string{"text", "json"}, c.Log.Format) {
		complain("log.format", "write text or json")
	}
	if !slices.Contains([]string{"required", "best-effort", "off"}, c.Plugins.Sandbox) {
		complain("plugins.sandbox", "write required, best-effort or off")
	}
	for key, n := range map[string]int{"limits.streams_per_key": c.Limits.StreamsPerKey, "limits.streams": c.Limits.Streams} {
		if n < 1 || n > 1_000_000 {
			complain(key, "write a number from 1 to 1000000")
		}
	}
	if c.Plugins.DiskMiB < 1 || c.Plugins.DiskMiB > 16<<10 {
		complain("plugins.disk_mib", "write a number of MiB from 1 to 16384")
	}
	if c.Plugins.MaxSteps < 8 || c.Plugins.MaxSteps > 256 {
		complain("plugins.max_steps", "write a number from 8 to 256")
	}
	if c.Plugins.MaxBodyKiB < 512 || c.Plugins.MaxBodyKiB > 8<<10 {
		complain("plugins.max_body_kib", "write a number of KiB from 512 to 8192")
	}
	if c.History.KeepCount < 0 || c.History.KeepCount > 10_000 {
		complain("history.keep_count", "write a number from 0 to 10000")
	}
	if c.Backup.Keep < 1 || c.Backup.Keep > 10_000 {
		complain("backup.keep", "write a number from 1 to 10000")
	}
	if c.Renewal.Workers < 1 || c.Renewal.Workers > 1000 {
		complain("renewal.workers", "write a number from 1 to 1000")
	}
	if c.Renewal.PerEndpoint < 1 || c.Renewal.PerEndpoint > 1000 {
		complain("renewal.per_endpoint", "write a number from 1 to 1000")
	}
	if c.Renewal.PerSecond < 0 || c.Renewal.PerSecond > 100_000 {
		complain("renewal.per_second", "write a number from 1 to 100000, or 0 for no bound")
	}
	checkOIDC(c.OIDC, complain)
	checkWatching(c, complain)
	checkTimes(c, complain)
}

// checkWatching checks where metrics and traces go.
func checkWatching(c *Config, complain func(key, text string)) {
	if _, port, err := net.SplitHostPort(c.Metrics.Listen); c.Metrics.Listen != "" && (err != nil || !isPort(port)) {
		complain("metrics.listen", "write an address and a port, for example 127.0.0.1:9464, or nothing")
	}
	if u, err := url.Parse(c.Tracing.Endpoint); c.Tracing.Endpoint != "" && (err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "") {
		complain("tracing.endpoint", "write where OTLP over HTTP is taken, for example http://localhost:4318, or nothing")
	}
	if !(c.Tracing.Sample >= 0 && c.Tracing.Sample <= 1) { // NaN is neither
		complain("tracing.sample", "write a number from 0 to 1")
	}
}

func checkOIDC(o OIDC, complain func(key, text string)) {
	if !slices.Contains([]string{"", "administrator", "operator", "viewer"}, o.JoinAs) {
		complain("oidc.join_as", "write administrator, operator or viewer, or nothing to let in invited people alone")
	}
	if o.Issuer == "" {
		if o.ClientID != "" || o.ClientSecret != "" || o.JoinAs != "" {
			complain("oidc.issuer", "write the address of the sign-in service, or remove what is below oidc")
		}
		return
	}
	if u, err := url.Parse(o.Issuer); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		complain("oidc.issuer", "write the address of the sign-in service, for example https://login.example.com/realms/company")
	}
	if o.ClientID == "" {
		complain("oidc.client_id", "write the client ID of this hub at the sign-in service")
	}
}

func checkAddresses(c *Config, complain func(key, text string)) {
	if _, port, err := net.SplitHostPort(c.Listen); err != nil || !isPort(port) {
		complain("listen", "write an address and a port, for example 127.0.0.1:8080, or :8080 for all addresses")
	}
	if c.PublicURL != "" && !isPublicURL(c.PublicURL) {
		complain("public_url", "write the hub's own address, with a plain path at most, for example https://tokens.example.com or https://example.com/evergrant")
	}
	scheme, rest, _ := strings.Cut(c.Database.URL, ":")
	if c.Database.URL != "" && (rest == "" || !slices.Contains([]string{"sqlite", "postgres", "postgresql"}, scheme)) {
		complain("database.url", "write sqlite:<path> or postgres://<user>:<password>@<host>/<database>")
	}
	for _, network := range c.Egress.PrivateNetworks {
		if !isNetwork(network) {
			complain("egress.private_networks", fmt.Sprintf("%q is no address and no network; write for example 10.0.0.7 or 10.0.0.0/8", network))
		}
	}
	for _, proxy := range c.TrustedProxies {
		if !isNetwork(proxy) {
			complain("trusted_proxies", fmt.Sprintf("%q is no address and no network; write the proxy's own address, for example 10.0.0.7", proxy))
		}
	}
}

// plainPath is a path that is written in one way only: nothing to decode, no dots alone.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

func isPublicURL(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil &&
		u.RawPath == "" && plainPath.MatchString(u.Path) && !strings.ContainsAny(address, "?#%")
}

func checkTimes(c *Config, complain func(key, text string)) {
	for _, bound := range []struct {
		key         string
		value       time.Duration
		least, most time.Duration
	}{
		{"data.compare_wait", c.Data.CompareWait, time.Second, 24 * time.Hour},
		{"plugins.connect_timeout", c.Plugins.ConnectTimeout, time.Second, 5 * time.Minute},
		{"shutdown_timeout", c.ShutdownTimeout, 0, time.Hour},
		{"renewal.lease", c.Renewal.Lease, time.Second, time.Hour},
		{"renewal.takeover", c.Renewal.Takeover, time.Second, 7 * 24 * time.Hour},
		{"renewal.min_ttl", c.Renewal.MinTTL, 0, 24 * time.Hour},
		{"renewal.request_timeout", c.Renewal.RequestTimeout, time.Second, 10 * time.Minute},
		{"renewal.exchange_timeout", c.Renewal.ExchangeTimeout, time.Second, time.Hour},
		{"authorization_ttl", c.AuthorizationTTL, time.Minute, 24 * time.Hour},
		{"audit.keep", c.Audit.Keep, 0, 100 * 365 * 24 * time.Hour},
		{"backup.every", c.Backup.Every, time.Minute, 365 * 24 * time.Hour},
		{"history.keep_age", c.History.KeepAge, 0, 100 * 365 * 24 * time.Hour},
		{"trash.keep", c.Trash.Keep, 0, 10 * 365 * 24 * time.Hour},
		{"session.idle", c.Session.Idle, time.Minute, 365 * 24 * time.Hour},
		{"session.absolute", c.Session.Absolute, time.Minute, 365 * 24 * time.Hour},
	} {
		if bound.value < bound.least || bound.value > bound.most {
			complain(bound.key, fmt.Sprintf("write a time from %s to %s", timeText(bound.least), timeText(bound.most)))
		}
	}
	if least := c.Renewal.ExchangeTimeout * 6 / 5; c.Renewal.Takeover < least {
		complain("renewal.takeover", fmt.Sprintf("write at least %s, a fifth more than renewal.exchange_timeout: another hub must not take over a renewal that may still be answered", timeText(least)))
	}
	if c.Session.Absolute < c.Session.Idle {
		complain("session.absolute", "write at least session.idle")
	}
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == text
}

func isNetwork(text string) bool {
	if _, err := netip.ParsePrefix(text); err == nil {
		return true
	}
	_, err := netip.ParseAddr(text)
	return err == nil
}
