package config

import (
	"log/slog"
	"net/netip"
	"net/url"
	"time"
)

// Config is the whole configuration of a hub. Load checks it; it is not changed
// afterwards. It never prints its secrets.
type Config struct {
	// Listen is the address and port to serve on.
	Listen string `koanf:"listen"`
	// PublicURL is the hub's address as browsers and services see it, without a
	// slash at its end. Empty only if Listen leaves the port to the system.
	PublicURL string `koanf:"public_url"`
	// DataDir is the folder of the journal and, by default, of database and key.
	DataDir  string   `koanf:"data_dir"`
	Database Database `koanf:"database"`
	Data     Data     `koanf:"data"`
	Key      Key      `koanf:"key"`
	Plugins  Plugins  `koanf:"plugins"`
	// Definitions says where definitions of services are, beside those that are shipped.
	Definitions Definitions `koanf:"definitions"`
	Egress      Egress      `koanf:"egress"`
	// TrustedProxies are the addresses and networks (CIDR) of reverse proxies
	// whose X-Forwarded-For is believed. Nobody is by default.
	TrustedProxies []string `koanf:"trusted_proxies"`
	TLS            TLS      `koanf:"tls"`
	Log            Log      `koanf:"log"`
	// ShutdownTimeout bounds how long a stop waits for requests and renewals.
	ShutdownTimeout time.Duration `koanf:"shutdown_timeout"`
	Renewal         Renewal       `koanf:"renewal"`
	// AuthorizationTTL is how long a started authorization waits for its callback.
	AuthorizationTTL time.Duration `koanf:"authorization_ttl"`
	Session          Session       `koanf:"session"`
	Audit            Audit         `koanf:"audit"`
	History          History       `koanf:"history"`
	Trash            Trash         `koanf:"trash"`
	Backup           Backup        `koanf:"backup"`
	OIDC             OIDC          `koanf:"oidc"`
	Metrics          Metrics       `koanf:"metrics"`
	Limits           Limits        `koanf:"limits"`
	Tracing          Tracing       `koanf:"tracing"`
	// ReplicaName is the name of this hub in lists of hubs. Its data folder, not the name,
	// identifies it.
	ReplicaName string `koanf:"replica_name"`
}

// Limits bound what is held open for clients.
type Limits struct {
	// StreamsPerKey is how many streams of events and long polls an API key, or a person
	// in the web hub, has at one time; Streams is how many this hub has in sum.
	StreamsPerKey int `koanf:"streams_per_key"`
	Streams       int `koanf:"streams"`
}

// Database says where rows are kept.
type Database struct {
	// URL is sqlite:<path> or postgres://…; empty is SQLite in DataDir. It may
	// hold a password.
	URL string `koanf:"url"`
}

// Data says what to make of the data folder.
type Data struct {
	// Moves is set if the data folder is moved between machines on purpose: one that looks
	// copied is accepted.
	Moves bool `koanf:"moves"`
	// CompareWait is how long rotating renewals wait at most, after the database went back,
	// until all hubs have compared their own token sets with it.
	CompareWait time.Duration `koanf:"compare_wait"`
}

// Key says where the key is that seals secrets.
type Key struct {
	// File is the keyset file.
	File string `koanf:"file"`
	// Value is a keyset in base64, from EVERGRANT_KEY only; it wins over File.
	Value string `koanf:"value"`
}

// Plugins says where plugins are.
type Plugins struct {
	// Dir is the folder of plugin binaries.
	Dir string `koanf:"dir"`
	// Sandbox is required, best-effort or off.
	Sandbox string `koanf:"sandbox"`
	// RuntimeDir is the folder for the sockets and working folders of plugins that run; "" is
	// one in the temporary folder of the system.
	RuntimeDir string `koanf:"runtime_dir"`
	// DiskMiB bounds the files that each plugin may have, in MiB.
	DiskMiB int `koanf:"disk_mib"`
	// MaxSteps is how many requests an operation of a plugin may make at the most, for one
	// that asks for so many.
	MaxSteps int `koanf:"max_steps"`
	// MaxBodyKiB is how large a request or reply of a plugin may be at the most, likewise.
	MaxBodyKiB int `koanf:"max_body_kib"`
	// ConnectTimeout is how long a plugin may take from its handshake until it says that it
	// is healthy.
	ConnectTimeout time.Duration `koanf:"connect_timeout"`
}

// Definitions says where definitions of services are.
type Definitions struct {
	// Dir is a folder whose files *.yaml are taken when they change; "" is none.
	Dir string `koanf:"dir"`
}

// Egress says where requests of plugins may go beside the public Internet.
type Egress struct {
	// PrivateNetworks are addresses and networks (CIDR) that every service may reach.
	PrivateNetworks []string `koanf:"private_networks"`
}

// TLS is the hub's own certificate; both files or none.
type TLS struct {
	CertFile string `koanf:"cert_file"`
	KeyFile  string `koanf:"key_file"`
}

// Log says how the hub writes its log.
type Log struct {
	// Level is trace, debug, info, warn or error.
	Level string `koanf:"level"`
	// Format is text or json.
	Format string `koanf:"format"`
}

// Renewal bounds the renewal of tokens.
type Renewal struct {
	// Workers is the number of renewals that run at one time.
	Workers int `koanf:"workers"`
	// PerEndpoint is the number of renewals that run at one time at one token
	// endpoint, and PerSecond how many begin there in a second; 0 is no bound.
	PerEndpoint int `koanf:"per_endpoint"`
	PerSecond   int `koanf:"per_second"`
	// Lease is how long a renewal holds its connection at most.
	Lease time.Duration `koanf:"lease"`
	// Takeover is how long a renewal that cannot be repeated safely waits for the
	// hub that began it, whose journal may hold the reply.
	Takeover time.Duration `koanf:"takeover"`
	// MinTTL is the life that a pulled token has left, if the process asks for
	// nothing else.
	MinTTL time.Duration `koanf:"min_ttl"`
	// RequestTimeout bounds what a plugin needs for a call, without the time of its
	// requests to the service; it is also when an unanswered request counts as a
	// trouble of its endpoint.
	RequestTimeout time.Duration `koanf:"request_timeout"`
	// ExchangeTimeout is how long the reply to a token request is read for, once the
	// request may have left. A provider may declare a longer time.
	ExchangeTimeout time.Duration `koanf:"exchange_timeout"`
	// SecondCopy is set if replies also go into the database before they are saved, so
	// that another hub can finish when this one's disk is gone for good. PostgreSQL only.
	SecondCopy bool `koanf:"second_copy"`
}

// Session bounds how long people stay logged in.
type Session struct {
	// Idle ends a session that is not used.
	Idle time.Duration `koanf:"idle"`
	// Absolute ends any session.
	Absolute time.Duration `koanf:"absolute"`
}

// Audit says how long it is known who did what.
type Audit struct {
	// Keep is for how long a record is kept; 0 is for ever.
	Keep time.Duration `koanf:"keep"`
	// Anchor is the title of the channel over which the signed head of the records is sent
	// every day; empty is none.
	Anchor string `koanf:"anchor"`
}

// History says how many past token sets are kept for putting one back.
type History struct {
	// KeepCount is how many of a connection are kept at most.
	KeepCount int `koanf:"keep_count"`
	// KeepAge is how long a set is kept after it was replaced.
	KeepAge time.Duration `koanf:"keep_age"`
}

// Trash says how long deleted connections can be put back.
type Trash struct {
	// Keep is for how long one stays after it was deleted.
	Keep time.Duration `koanf:"keep"`
}

// Backup says when the hub makes backups of its database by itself.
type Backup struct {
	// Dir is the folder for them; empty makes none.
	Dir string `koanf:"dir"`
	// Every is the time between two, Keep how many are kept.
	Every time.Duration `koanf:"every"`
	Keep  int           `koanf:"keep"`
}

// Metrics says where Prometheus may ask without an API key.
type Metrics struct {
	// Listen is an address and port of its own; empty is none. /metrics on the hub's own
	// address takes an API key in any case.
	Listen string `koanf:"listen"`
}

// Tracing says where traces go. Without an endpoint there are none.
type Tracing struct {
	// Endpoint takes OTLP over HTTP.
	Endpoint string `koanf:"endpoint"`
	// Sample is the share of requests that are traced, from 0 to 1. What the caller
	// traces is traced in any case.
	Sample float64 `koanf:"sample"`
}

// OIDC is a sign-in service that speaks OpenID Connect. Without an issuer there is none.
type OIDC struct {
	// Issuer is its address, as it names itself.
	Issuer string `koanf:"issuer"`
	// ClientID and ClientSecret are the hub's registration there; the redirect URI is
	// PublicURL with /login/oidc/callback.
	ClientID     string `koanf:"client_id"`
	ClientSecret string `koanf:"client_secret"`
	// Title is what people call it.
	Title string `koanf:"title"`
	// JoinAs is the role of people without an invitation; empty refuses them.
	JoinAs string `koanf:"join_as"`
}

// String keeps the secret out of %v and %s.
func (o OIDC) String() string { return o.Issuer }

// GoString keeps the secret out of %#v.
func (o OIDC) GoString() string { return o.Issuer }

// LogValue implements slog.LogValuer and shows neither the key nor a password.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("listen", c.Listen), slog.String("public_url", c.PublicURL),
		slog.String("data_dir", c.DataDir), slog.String("database", c.Database.String()), slog.String("replica_name", c.ReplicaName))
}

// String keeps secrets out of %v and %s.
func (c Config) String() string { return "config of " + c.Listen }

// GoString keeps secrets out of %#v.
func (c Config) GoString() string { return "config.Config{…}" }

// String is the address without its password.
func (d Database) String() string {
	if d.URL == "" {
		return "sqlite"
	}
	u, err := url.Parse(d.URL)
	if err != nil {
		return "(unreadable)"
	}
	if u.User == nil && u.RawQuery == "" {
		return d.URL
	}
	u.RawQuery = "" // PostgreSQL takes a password there too
	return u.Redacted()
}

// GoString keeps the password out of %#v.
func (d Database) GoString() string { return d.String() }

// String keeps the key out of %v and %s.
func (k Key) String() string { return k.File }

// GoString keeps the key out of %#v.
func (k Key) GoString() string { return k.File }

// Prefixes are the private networks as prefixes; an address is one of its own.
func (e Egress) Prefixes() []netip.Prefix {
	var prefixes []netip.Prefix
	for _, text := range e.PrivateNetworks {
		if prefix, err := netip.ParsePrefix(text); err == nil {
			prefixes = append(prefixes, prefix.Masked())
		} else if address, err := netip.ParseAddr(text); err == nil { // check has seen the rest
			prefixes = append(prefixes, netip.PrefixFrom(address, address.BitLen()))
		}
	}
	return prefixes
}
