package providertest

import (
	"io"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Config is what is tested and with which fixtures. Only one of Provider and Binary is
// needed.
type Config struct {
	// Provider is served inside the test.
	Provider provider.Provider
	// Limits are what the plugin of Provider asks for, as in its providerplugin.ServeConfig.
	Limits providerplugin.Limits
	// Binary is the path of a built plugin, which is started.
	Binary string
	// Start starts Binary, for a program that confines it; what the plugin writes goes
	// to logs. Nil runs it with the caller's own rights, which is for plugins of one's own.
	Start Starter
	// Name of the provider, if the binary serves more than one.
	Name string

	// Service is the registration to test with. Name, ClientID and ClientSecret are
	// made up; leave ClientSecret empty. Options are validated as the hub does.
	Service provider.Service
	// Public tests without a client secret.
	Public bool
	// Callback are parameters that the service adds to code and state.
	Callback url.Values
	// Current is the token set in force. Its tokens are made up if empty.
	Current provider.Token
	// TokenReply is the body of a successful token reply, in which {access} and {refresh}
	// are replaced by the tokens. Empty: that of RFC 6749 section 5.1.
	TokenReply string
	// Life is the lifetime of the access token in TokenReply, for a service whose
	// expires_in is not in seconds or that uses another field. Zero reads expires_in of
	// TokenReply.
	Life time.Duration
	// Answer replies to requests that carry no one-time secret, for example
	// discovery, userinfo and revocation. Nil, or a nil result, is a plain account.
	Answer func(*providerplugin.HTTPRequest) *providerplugin.HTTPResponse

	// Replies are recorded replies: every *.http file of the folder, one subtest
	// each. The package's documentation has their form.
	Replies fs.FS
	// Gaps are checks that this provider cannot pass, by name, each with the
	// reason. They are skipped, and seen in the test's output.
	Gaps map[string]string
}

// Starter starts a built plugin; stop ends it.
type Starter func(binary string, logs io.Writer) (client *providerplugin.Client, stop func(), err error)

// Run checks every promise of the contract, one subtest for each. It replaces the
// process's default loggers while it runs: do not call it from a parallel test.
func Run(t *testing.T, config Config) {
	t.Helper()
	s, err := newSuite(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	for name := range config.Gaps {
		if !slices.ContainsFunc(checks, func(c check) bool { return c.name == name }) {
			t.Errorf("there is no check %q to declare a gap for", name)
		}
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			if reason, ok := config.Gaps[c.name]; ok {
				t.Skip("declared gap: " + reason)
			}
			if err := c.run(t.Context(), s); err != nil {
				t.Errorf("%s\n%v", c.promise, err)
			}
		})
	}
	runReplies(t, s)
}

func runReplies(t *testing.T, s *suite) {
	t.Helper()
	if s.config.Replies == nil {
		return
	}
	names, err := fs.Glob(s.config.Replies, "*.http")
	if err != nil || len(names) == 0 {
		t.Errorf("no recorded replies were found: %v", err)
	}
	for _, name := range names {
		t.Run("reply/"+name, func(t *testing.T) {
			if err := s.checkReply(t.Context(), name); err != nil {
				t.Error(err)
			}
		})
	}
}

// clone keeps a suite's changes off the caller's fixtures.
func (c Config) clone() Config {
	c.Service.Options = maps.Clone(c.Service.Options)
	c.Callback = maps.Clone(c.Callback)
	c.Current.Extra = maps.Clone(c.Current.Extra)
	return c
}
