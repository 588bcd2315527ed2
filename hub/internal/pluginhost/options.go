package pluginhost

import (
	"cmp"
	"context"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.opentelemetry.io/otel/trace"

	"github.com/evergrant/evergrant/hub/internal/sandbox"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Options say where plugins are and how long they may take. Zero values mean
// the defaults that each field names.
type Options struct {
	// Dir is the folder with the executables evergrant-provider-<name>.
	Dir string
	// RuntimeDir is a private folder for sockets, of mode 0700; it is made if it is
	// missing. Its path must be short, because the path of a socket has at most 107 bytes. Two
	// hubs cannot share one. "" makes a new folder in the system's temporary one.
	RuntimeDir string
	// Logger gets the host's own lines and, as values, what plugins write.
	Logger hclog.Logger
	// Traces makes a span of each call of a plugin; nil makes none.
	Traces trace.TracerProvider
	// Sandbox is how plugins are confined; "" is off.
	Sandbox sandbox.Mode
	// Installed returns what is installed beside the folder; nil is nothing. Scan calls
	// it.
	Installed func() Installed
	// Documents returns what a plugin that is made of documents is handed; nil is nothing for
	// any of them. Scan calls it.
	Documents func(plugin string) Documents
	// Accept is called before a new version of a plugin replaces one that is in use: an
	// error, for people, keeps the old one. Nil accepts all.
	Accept func(plugin string, descriptions []provider.Description) error
	// Rejected is called for an installed package that did not start, was not accepted,
	// or was rolled back because it kept failing. May be nil.
	Rejected func(plugin, packageSum, reason string)
	// DocumentsRefused is called for a set of documents that was not taken, or was rolled
	// back because it kept failing. May be nil.
	DocumentsRefused func(plugin, reason string)
	// Deprecations are shown at the plugins that they concern; nil are those of the
	// contract.
	Deprecations []Deprecation
	// Cache stores descriptions by the sum of what gave them; nil stores none.
	Cache DescriptionCache

	// Limits are the most that a plugin may ask for one operation; zero is the contract's
	// own.
	Limits providerplugin.Limits
	// Disk bounds the files that a plugin has in its working folder, in bytes; 64 MiB.
	Disk int64
	// IdleAfter stops a plugin that had no call for this long; 10 minutes.
	IdleAfter time.Duration
	// StartTimeout bounds the time until the handshake; 10 seconds.
	StartTimeout time.Duration
	// ConnectTimeout bounds the time from the handshake until the plugin's health
	// is SERVING; 3 seconds.
	ConnectTimeout time.Duration
	// ReadyTimeout bounds how long a call waits for a plugin that is starting,
	// beside the call's own deadline; 10 seconds.
	ReadyTimeout time.Duration
	// CallTimeout bounds each answer of a plugin: Describe, and the silence
	// between two messages of an operation. The time that the hub spends on a
	// plugin's HTTP request does not count; 5 seconds.
	CallTimeout time.Duration
	// HealthEvery is the time between two health checks; 10 seconds.
	HealthEvery time.Duration
	// HealthTimeout bounds one health check; 2 seconds.
	HealthTimeout time.Duration
	// DrainTimeout bounds how long a stop waits for calls in flight; 15 seconds.
	DrainTimeout time.Duration
	// StopGrace is the time between asking a process to end and killing it; 2
	// seconds.
	StopGrace time.Duration
}

// DescriptionCache stores plugins' descriptions, so that providers are known without
// starting any process. The sum is the SHA-256 of the executable in lower-case hex, for a
// plugin with documents that of both.
// Errors of a cache are logged and cost a start.
type DescriptionCache interface {
	PluginBySum(ctx context.Context, sum string) (d Described, found bool, err error)
	SavePlugin(ctx context.Context, sum, name string, d Described) error
}

// Described is what a plugin has said of itself.
type Described struct {
	Version      string
	Descriptions []provider.Description
	// Uses is what it uses that is deprecated or may become so, by kind and name.
	Uses []string
}

// DefaultLimits are the most that a hub grants unless its configuration says otherwise.
var DefaultLimits = providerplugin.Limits{Steps: 32, BodyBytes: 4 << 20}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	if o.Deprecations == nil {
		o.Deprecations = deprecations
	}
	o.Sandbox = cmp.Or(o.Sandbox, sandbox.Off)
	o.Disk = cmp.Or(o.Disk, defaultDisk)
	o.IdleAfter = cmp.Or(o.IdleAfter, 10*time.Minute)
	o.StartTimeout = cmp.Or(o.StartTimeout, 10*time.Second)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 3*time.Second)
	o.ReadyTimeout = cmp.Or(o.ReadyTimeout, 10*time.Second)
	o.CallTimeout = cmp.Or(o.CallTimeout, 5*time.Second)
	o.HealthEvery = cmp.Or(o.HealthEvery, 10*time.Second)
	o.HealthTimeout = cmp.Or(o.HealthTimeout, 2*time.Second)
	o.DrainTimeout = cmp.Or(o.DrainTimeout, 15*time.Second)
	o.StopGrace = cmp.Or(o.StopGrace, 2*time.Second)
	return o
}

// LimitsOf are the limits that a configuration names.
func LimitsOf(steps, bodyKiB int) providerplugin.Limits {
	return providerplugin.Limits{Steps: steps, BodyBytes: int64(bodyKiB) << 10}
}

// Limits of one plugin that need no option.
const (
	maxInFlight = 64
	maxQueue    = 256
	// killWait is how long a killed process may take to exit before it is reported and
	// abandoned.
	killWait = 5 * time.Second
)
