package oauth_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestATokenIsFoundWhereTheServiceHasIt(t *testing.T) {
	decode := oauth.Decode{
		Fields: oauth.TokenFields{
			AccessToken: "authed_user.access_token", RefreshToken: "authed_user.refresh", Scope: "authed_user.scope",
			ExpiresIn: "authed_user.life", RefreshExpiresIn: "authed_user.refresh_life", IDToken: "ids.0", TokenType: "kind",
		},
		ScopeSeparator: ",", Private: []string{"device"},
	}
	token, err := ask(t, &answer{status: http.StatusOK, body: `{"ok":true,"kind":"user","device":"d","team":{"id":"T1"},"ids":["id-1"],
		"authed_user":{"access_token":"xoxp","refresh":"xoxe","scope":"a,b","life":43200,"refresh_life":86400}}`}, decode)
	if err != nil {
		t.Fatal(err)
	}
	if token.AccessToken != "xoxp" || token.RefreshToken != "xoxe" || token.IDToken != "id-1" || token.TokenType != "user" ||
		*token.ExpiresIn != 12*time.Hour || *token.RefreshExpiresIn != 24*time.Hour || !slices.Equal(token.Scopes, []string{"a", "b"}) {
		t.Errorf("%+v", token)
	}
	if token.Private["device"] != "d" || token.Extra["device"] != nil || token.Extra["authed_user"] != nil || token.Extra["team"] == nil {
		t.Errorf("a secret is among what processes get: %v, private %v", token.Extra, token.Private)
	}
}

func TestAMomentOfExpiryIsRead(t *testing.T) {
	at := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	for body, c := range map[string]struct {
		unit time.Duration
		want time.Duration
	}{
		`{"access_token":"a","expires":` + at(time.Hour) + `}`:     {0, time.Hour},
		`{"access_token":"a","expires":"` + at(time.Hour) + `"}`:   {0, time.Hour},
		`{"access_token":"a","expires":` + at(time.Hour) + `000}`:  {time.Millisecond, time.Hour},
		`{"access_token":"a","expires":"2026-03-01T13:00:00Z"}`:    {0, time.Hour},
		`{"access_token":"a","expires":0}`:                         {0, 0},
		`{"access_token":"a"}`:                                     {0, 0},
		`{"access_token":"a","expires":"tomorrow"}`:                {0, 0},
		`{"access_token":"a","expires_in":9,"expires":"a secret"}`: {0, 0},
	} {
		token, err := ask(t, &answer{status: http.StatusOK, body: body}, oauth.Decode{Fields: oauth.TokenFields{ExpiresAt: "expires", ExpiresAtUnit: c.unit}})
		if err != nil {
			t.Fatal(err)
		}
		if c.want == 0 && token.ExpiresIn != nil || c.want != 0 && (token.ExpiresIn == nil || *token.ExpiresIn != c.want) {
			t.Errorf("%s: %v", body, token.ExpiresIn)
		}
	}
}

// What a service means by an answer of its own decides, but no outage ends a grant.
func TestAnAnswerMeansWhatTheServiceSays(t *testing.T) {
	failures := []oauth.Failure{
		{Code: "token_busy", Kind: provider.Transient, TooEarly: true},
		{Status: http.StatusForbidden, Text: "Not Expired", Kind: provider.Transient, TooEarly: true},
		{Code: "190", Kind: provider.ReauthorizationRequired, Remedy: provider.Text{EN: "Authorize again."}},
		{Status: http.StatusTeapot, Kind: provider.Blocked},
	}
	for name, c := range map[string]struct {
		status   int
		body     string
		kind     provider.Kind
		tooEarly bool
		remedy   string
	}{
		"by its code":                {400, `{"error":"TOKEN_BUSY"}`, provider.Transient, true, ""},
		"by status and text":         {403, `{"error":"invalid_grant","error_description":"token not expired"}`, provider.Transient, true, ""},
		"of the text, not by status": {400, `{"error":"invalid_grant","error_description":"it is dead"}`, provider.ReauthorizationRequired, false, ""},
		"with a remedy":              {400, `{"error":{"code":190,"message":"over"}}`, provider.ReauthorizationRequired, false, "Authorize again."},
		"an outage ends nothing":     {503, `{"error":{"code":190,"message":"over"}}`, provider.Transient, false, "Authorize again."},
		"by status alone":            {418, "a teapot", provider.Blocked, false, ""},
		"another":                    {400, `{"error":"invalid_client"}`, provider.Blocked, false, ""},
	} {
		_, err := ask(t, &answer{status: c.status, body: c.body}, oauth.Decode{Failures: failures})
		e, ok := errors.AsType[*provider.Error](err)
		if !ok || e.Kind != c.kind || e.TooEarly != c.tooEarly || e.Remedy.EN != c.remedy {
			t.Errorf("%s: %+v", name, err)
		}
	}
}

// A service's own ways: GET, JSON, a renewal without a refresh token, userinfo and
// revocation that are asked otherwise.
func TestRequestsAreSentInTheServicesOwnWay(t *testing.T) {
	a := &answer{status: http.StatusOK, body: `{"access_token":"b","sub":"1"}`}
	call := provider.Call{Service: provider.Service{ClientID: "id", ClientSecret: "s"}, HTTP: a.client()}
	p, _ := oauth.New(oauth.Config{
		AuthURL: "https://acme.example/a", TokenURL: "https://acme.example/t", UserinfoURL: "https://acme.example/u", RevokeURL: "https://acme.example/r",
		RefreshForm: url.Values{"grant_type": {"exchange"}, "token": {"a"}},
		Send:        oauth.Send{Method: http.MethodGet, Header: http.Header{"User-Agent": {"Evergrant"}}},
		Userinfo:    oauth.Send{Method: http.MethodPost, JSON: true, Form: url.Values{"token": {"a"}}},
		Revocation:  oauth.Send{Method: http.MethodDelete, Header: http.Header{"Authorization": {"Bearer a"}}, Form: url.Values{}},
		Auth:        oauth.AuthPost,
	}).(interface {
		provider.Refresher
		provider.Identifier
		provider.Revoker
	})
	current := provider.Token{AccessToken: "a"}
	if _, err := p.Refresh(t.Context(), &provider.RefreshRequest{Call: call, Current: current}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Identify(t.Context(), &provider.IdentifyRequest{Call: call, Current: current}); err != nil {
		t.Fatal(err)
	}
	if err := p.Revoke(t.Context(), &provider.RevokeRequest{Call: call, Current: current}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"GET /t client_id=id&client_secret=s&grant_type=exchange&token=a  Evergrant",
		`POST /u  {"token":"a"} `,
		"DELETE /r   Bearer a",
	}
	asked := make([]string, len(a.requests))
	for i, r := range a.requests {
		asked[i] = r.Method + " " + r.URL.Path + " " + r.URL.RawQuery + " " + a.bodies[i] + " " + r.Header.Get("Authorization") + r.Header.Get("User-Agent")
	}
	if !slices.Equal(asked, want) {
		t.Errorf("asked\n%q, want\n%q", asked, want)
	}
}
