package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

func discover(t *testing.T, handler http.Handler, path string) (*oauth.Metadata, error) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return oauth.Discover(t.Context(), provider.Call{HTTP: server.Client(), Now: now}, server.URL+path)
}

func TestEndpointsAreDiscoveredFromTheIssuer(t *testing.T) {
	m, err := discover(t, authserver.New(authserver.Config{}), "/")
	if err != nil {
		t.Fatal(err)
	}
	e := m.Endpoints()
	if e.TokenURL != m.Issuer+"/token" || e.AuthURL != m.Issuer+"/authorize" || e.RevokeURL != m.Issuer+"/revoke" ||
		e.UserinfoURL != m.Issuer+"/userinfo" || e.Auth != oauth.AuthBasic || m.PKCE() != provider.PKCES256 || !m.IssParameter {
		t.Errorf("got %+v", m)
	}
}

func TestAServerWithoutOpenIDIsFoundByItsOAuthMetadata(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/oauth-authorization-server/tenant", func(w http.ResponseWriter, r *http.Request) {
		issuer := "http://" + r.Host + "/tenant"
		_, _ = w.Write([]byte(`{"issuer":"` + issuer + `","authorization_endpoint":"` + issuer + `/a","token_endpoint":"` + issuer + `/t"}`))
	})
	m, err := discover(t, mux, "/tenant")
	if err != nil || !strings.HasSuffix(m.TokenEndpoint, "/tenant/t") || m.PKCE() != provider.PKCENone {
		t.Errorf("got %+v, %v", m, err)
	}
}

func TestAWrongIssuerIsTheOperatorsToMend(t *testing.T) {
	says := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	}
	for _, test := range []struct {
		status int
		body   string
		kind   provider.Kind
	}{
		{404, "", provider.Blocked},
		{200, "<html></html>", provider.Blocked},
		{200, `{"issuer":"https://other.example","authorization_endpoint":"x","token_endpoint":"y"}`, provider.Blocked},
		{200, `{"issuer":7}`, provider.Blocked},
		{503, "", provider.Transient},
	} {
		if _, err := discover(t, says(test.status, test.body), ""); provider.KindOf(err) != test.kind || err == nil {
			t.Errorf("%d %s: got %v", test.status, test.body, err)
		}
	}
	if _, err := oauth.Discover(t.Context(), provider.Call{HTTP: http.DefaultClient}, "accounts"); provider.KindOf(err) != provider.Blocked {
		t.Errorf("got %v", err)
	}
}
