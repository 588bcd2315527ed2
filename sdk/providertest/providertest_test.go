package providertest

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// standardConfig is a service that follows the RFCs.
func standardConfig() oauth.Config {
	both := func(s string) provider.Text { return provider.Text{EN: s, RU: s} }
	return oauth.Config{
		Description: provider.Description{
			Name: "acme", Title: both("Acme"), Summary: both("Parcels"), SetupSteps: []provider.Text{both("Register {redirect_uri}.")},
			PKCE: provider.PKCES256, Hosts: []provider.Host{{Pattern: "acme.example", ClientSecret: true}, {Pattern: "api.acme.example"}},
			Options: provider.Schema{Options: []provider.Option{
				{Name: "tenant", Title: both("Tenant"), Default: "main"},
				{Name: "api_key", Title: both("Key"), Secret: true},
			}},
		},
		AuthURL: "https://acme.example/authorize", TokenURL: "https://acme.example/token",
		RevokeURL: "https://acme.example/revoke", UserinfoURL: "https://api.acme.example/me",
		Grants: []provider.Grant{provider.GrantClientCredentials},
	}
}

func TestAStandardProviderKeepsTheContract(t *testing.T) {
	for _, auth := range []oauth.ClientAuth{oauth.AuthPost, oauth.AuthBasic, oauth.AuthRawBase64, oauth.AuthQuery} {
		t.Run(string(auth), func(t *testing.T) {
			c := standardConfig()
			c.Auth = auth
			Run(t, Config{
				Provider: oauth.New(c), Replies: os.DirFS("testdata/replies"),
				Service:  provider.Service{Options: map[string]any{"api_key": "canary-of-an-option"}},
				Callback: url.Values{"server_domain": {"acme.example"}},
				Current:  provider.Token{Extra: map[string]any{"server_endpoint": "https://acme.example/"}},
			})
		})
	}
}

func TestAPublicClientKeepsTheContract(t *testing.T) {
	c := standardConfig()
	c.Auth = oauth.AuthNone
	Run(t, Config{Provider: oauth.New(c), Public: true})
}

func TestAPluginProcessKeepsTheContract(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: it builds a plugin")
	}
	binary := filepath.Join(t.TempDir(), "plugin")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", binary, "./testdata/plugin")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	Run(t, Config{Binary: binary, Gaps: map[string]string{"description": "the test plugin speaks English only"}})
}

func TestARecordedReplyThatMeansSomethingElseFails(t *testing.T) {
	c := standardConfig()
	s, err := newSuite(t.Context(), Config{Provider: oauth.New(c), Replies: os.DirFS("testdata/wrong")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	names, _ := filepath.Glob("testdata/wrong/*.http")
	if len(names) == 0 {
		t.Fatal("no files")
	}
	for _, name := range names {
		if err := s.checkReply(t.Context(), filepath.Base(name)); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}
