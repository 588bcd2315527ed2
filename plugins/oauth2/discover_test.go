package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// wantWrong wants an error that leads an administrator to one field.
func wantWrong(t *testing.T, what string, err error, option string) {
	t.Helper()
	e, _ := errors.AsType[*provider.Error](err)
	if e == nil || e.Kind != provider.Blocked || e.Option != option || e.Remedy.EN == "" || e.Remedy.RU == "" {
		t.Errorf("%s: got %v, want a blocked error that names %s and says what to do", what, err, option)
	}
}

// published is a server with one document under each path; {url} is its address.
func published(t *testing.T, documents map[string]string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		document, ok := documents[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(strings.ReplaceAll(document, "{url}", "http://"+r.Host)))
	}))
	t.Cleanup(server.Close)
	return server
}

// prepareAt prepares a service whose options may hold {url}, the server's address.
func prepareAt(t *testing.T, server *httptest.Server, entered map[string]any, scopes ...string) (*provider.PreparedService, error) {
	t.Helper()
	all := map[string]any{}
	for name, value := range entered {
		all[name] = strings.ReplaceAll(fmt.Sprint(value), "{url}", server.URL)
	}
	return anyService{}.PrepareService(t.Context(), &provider.PrepareServiceRequest{
		Call: provider.Call{Service: filledIn(t, all, scopes...), HTTP: server.Client(), Now: time.Now()},
	})
}

const (
	openID     = "/.well-known/openid-configuration"
	rfc8414    = "/.well-known/oauth-authorization-server"
	minimal    = `{"issuer":"{url}","authorization_endpoint":"{url}/a","token_endpoint":"{url}/t"`
	everything = minimal + `,"revocation_endpoint":"{url}/r","userinfo_endpoint":"{url}/u","scopes_supported":["openid","x"],
		"token_endpoint_auth_methods_supported":["private_key_jwt","client_secret_post"],"code_challenge_methods_supported":["plain","S256"]}`
)

func TestAnIssuerIsAllThatHasToBeEntered(t *testing.T) {
	server := published(t, map[string]string{openID: everything})
	prepared, err := prepareAt(t, server, map[string]any{optionIssuer: "{url}"}, "openid")
	if err != nil {
		t.Fatal(err)
	}
	var e endpoints
	if err := json.Unmarshal(prepared.Data, &e); err != nil {
		t.Fatal(err)
	}
	want := endpoints{
		Issuer: server.URL, Authorization: server.URL + "/a", Token: server.URL + "/t", Revocation: server.URL + "/r",
		Userinfo: server.URL + "/u", ClientAuth: oauth.AuthPost,
	}
	if e != want {
		t.Errorf("discovered %+v, want %+v", e, want)
	}
	d := prepared.Description
	if d.Issuer != server.URL || d.ClientAuth[0].Method != "client_secret_post" || !slices.Equal(names(d.Scopes), []string{"openid", "x"}) ||
		len(d.Hosts) != 1 || d.Hosts[0] != (provider.Host{Pattern: server.URL, ClientSecret: true}) || d.Validate() != nil {
		t.Errorf("described as %+v", d)
	}
}

func TestMetadataAreFoundWhereEachStandardPutsThem(t *testing.T) {
	realm := `{"issuer":"{url}/realm","authorization_endpoint":"{url}/a","token_endpoint":"{url}/t"}`
	for name, test := range map[string]struct {
		path, issuer, document string
	}{
		"OpenID Connect":           {openID, "{url}", minimal + "}"},
		"OpenID Connect, a path":   {"/realm" + openID, "{url}/realm", realm},
		"RFC 8414":                 {rfc8414, "{url}", minimal + "}"},
		"RFC 8414, a path":         {rfc8414 + "/realm", "{url}/realm", realm},
		"an issuer ending in “/”":  {openID, "{url}/", strings.Replace(minimal, `"{url}"`, `"{url}/"`, 1) + "}"},
		"one that needs no client": {openID, "{url}", minimal + `,"token_endpoint_auth_methods_supported":["none"]}`},
	} {
		prepared, err := prepareAt(t, published(t, map[string]string{test.path: test.document}), map[string]any{optionIssuer: test.issuer})
		if err != nil || !strings.Contains(string(prepared.Data), "/t") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAWrongOptionIsNamedAndExplained(t *testing.T) {
	issuer := map[string]any{optionIssuer: "{url}"}
	for name, test := range map[string]struct {
		document string
		entered  map[string]any
		option   string
	}{
		"nothing entered":          {"", nil, optionIssuer},
		"no token address":         {"", map[string]any{optionAuthorization: "{url}/a"}, optionToken},
		"no authorization address": {"", map[string]any{optionToken: "{url}/t"}, optionAuthorization},
		"an address with fragment": {"", map[string]any{optionAuthorization: "{url}/a#x", optionToken: "{url}/t"}, optionAuthorization},
		"a page":                   {"<html>Welcome</html>", issuer, optionIssuer},
		"cut JSON":                 {`{"issuer":"{url}"`, issuer, optionIssuer},
		"a list":                   {`[]`, issuer, optionIssuer},
		"an issuer of no text":     {`{"issuer":7}`, issuer, optionIssuer},
		"another issuer":           {strings.Replace(minimal, `"{url}"`, `"https://other.example"`, 1) + "}", issuer, optionIssuer},
		"the same but for a slash": {strings.Replace(minimal, `"{url}"`, `"{url}/"`, 1) + "}", issuer, optionIssuer},
		"no token endpoint":        {`{"issuer":"{url}","authorization_endpoint":"{url}/a"}`, issuer, optionToken},
		"no authorization":         {`{"issuer":"{url}","token_endpoint":"{url}/t"}`, issuer, optionAuthorization},
		"an endpoint nobody opens": {`{"issuer":"{url}","authorization_endpoint":"javascript:1","token_endpoint":"{url}/t"}`, issuer, optionIssuer},
		"the metadata's address":   {minimal + "}", map[string]any{optionIssuer: "{url}" + openID}, optionIssuer},
		"not published":            {minimal + "}", map[string]any{optionIssuer: "{url}/elsewhere"}, optionIssuer},
		"PKCE not supported":       {minimal + `,"code_challenge_methods_supported":["plain"]}`, issuer, optionPKCE},
		"an unknown proof only":    {minimal + `,"token_endpoint_auth_methods_supported":["attest_jwt_client_auth"]}`, issuer, optionClientAuth},
		"a parameter of the hub's": {"", with(byHand, optionParams, "state=1"), optionParams},
	} {
		_, err := prepareAt(t, published(t, map[string]string{openID: test.document}), test.entered)
		wantWrong(t, name, err, test.option)
	}
}

func TestAMissingEndpointMayBeEnteredByHand(t *testing.T) {
	server := published(t, map[string]string{openID: `{"issuer":"{url}","authorization_endpoint":"{url}/a"}`})
	prepared, err := prepareAt(t, server, map[string]any{optionIssuer: "{url}", optionToken: "https://tokens.example/t"})
	if err != nil || prepared.Description.Issuer != server.URL || len(prepared.Description.Hosts) != 2 {
		t.Errorf("got %+v, %v", prepared, err)
	}
}

func TestTheRemedyNamesTheIssuerThatAnswered(t *testing.T) {
	server := published(t, map[string]string{openID: strings.Replace(minimal, `"{url}"`, `"https://right.example"`, 1) + "}"})
	_, err := prepareAt(t, server, map[string]any{optionIssuer: "{url}"})
	e, _ := errors.AsType[*provider.Error](err)
	if e == nil || !strings.Contains(e.Remedy.EN, "https://right.example") || !strings.Contains(e.Remedy.RU, "https://right.example") {
		t.Errorf("got %v", err)
	}
}

func TestAnIssuerOutOfReachIsTheOperatorsToMend(t *testing.T) {
	server := published(t, nil)
	server.Close()
	_, err := prepareAt(t, server, map[string]any{optionIssuer: "{url}"})
	wantWrong(t, "a server that is gone", err, optionIssuer)
}

func TestAnOutageOfTheIssuerPasses(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	_, err := prepareAt(t, server, map[string]any{optionIssuer: "{url}"})
	if e, _ := errors.AsType[*provider.Error](err); e == nil || e.Kind != provider.Transient || e.Option != optionIssuer || e.Remedy.RU == "" {
		t.Errorf("got %v", err)
	}
}

func TestMetadataMayNotLeadAwayFromTLS(t *testing.T) {
	var document string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(strings.ReplaceAll(document, "{url}", "https://"+r.Host)))
	}))
	defer server.Close()
	document = `{"issuer":"{url}","authorization_endpoint":"{url}/a","token_endpoint":"http://elsewhere.example/t"}`
	_, err := prepareAt(t, server, map[string]any{optionIssuer: "{url}"})
	wantWrong(t, "a token endpoint without TLS", err, optionIssuer)
	document = minimal + "}"
	if _, err := prepareAt(t, server, map[string]any{optionIssuer: "{url}"}); err != nil {
		t.Errorf("all with TLS: %v", err)
	}
}

func TestAnIssuerSaysWhetherItsCallbacksNameIt(t *testing.T) {
	const document = `{"issuer":"{url}","authorization_endpoint":"{url}/a","token_endpoint":"{url}/t"`
	for metadata, sent := range map[string]bool{
		document + `}`: false, document + `,"authorization_response_iss_parameter_supported":false}`: false,
		document + `,"authorization_response_iss_parameter_supported":true}`: true,
	} {
		prepared, err := prepareAt(t, published(t, map[string]string{openID: metadata}), map[string]any{optionIssuer: "{url}"})
		if err != nil || prepared.Description.IssuerSent != sent {
			t.Errorf("%s: %v, %v", metadata, prepared, err)
		}
	}
}
