package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/examples/workspace/workspacetest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest"
)

func TestConformance(t *testing.T) {
	providertest.Run(t, providertest.Config{
		Provider: newWorkspace(), Service: provider.Service{Options: map[string]any{"server": "https://workspace.example"}},
		TokenReply: `{"ok":true,"access_token":"{access}","refresh_token":"{refresh}","expires_in":43200,` +
			`"authed_user":{"id":"U1","access_token":"of-the-person","refresh_token":"refresh-of-the-person","expires_in":43200}}`,
	})
}

// code has the emulated service consent.
func code(t *testing.T, server *httptest.Server) string {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(server.URL + "/authorize?state=s&redirect_uri=" + url.QueryEscape("https://hub.example/callback"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	return back.Query().Get("code")
}

func TestTwoSetsOfOneCodeRotateOnTheirOwn(t *testing.T) {
	emulated := workspacetest.New("ann")
	server := httptest.NewServer(emulated)
	defer server.Close()
	p := newWorkspace()
	call := provider.Call{HTTP: server.Client(), Now: time.Now(), Service: provider.Service{
		ClientID: "id", ClientSecret: "secret-of-workspace", Options: map[string]any{"server": server.URL},
	}}
	exchange := func() (*provider.Token, error) {
		return p.Exchange(t.Context(), &provider.ExchangeRequest{Call: call, Code: code(t, server), RedirectURI: "https://hub.example/callback"})
	}
	token, err := exchange()
	if err != nil || len(token.Parts) != 1 || token.Parts[0].Part != partUser || token.Extra["authed_user"] != nil {
		t.Fatalf("got %v with %d parts, %v", token, len(token.Parts), err)
	}
	person := token.Parts[0].Token
	for range 2 {
		next, err := p.Refresh(t.Context(), &provider.RefreshRequest{Call: call, Current: person})
		if err != nil || len(next.Parts) != 0 || emulated.Account(next.AccessToken) != "ann" {
			t.Fatalf("a renewal of the person's set: %v, %v", next, err)
		}
		person = *next
	}
	if emulated.Account(token.AccessToken) != "bot" || *person.ExpiresIn != workspacetest.Life {
		t.Errorf("the bot's set moved, or the person's lives %s", *person.ExpiresIn)
	}
	account, err := p.Identify(t.Context(), &provider.IdentifyRequest{Call: call, Current: person})
	if err != nil || account.ID != "ann" {
		t.Errorf("identified as %v, %v", account, err)
	}
	// A spent refresh token ends its own set alone.
	if _, err := p.Refresh(t.Context(), &provider.RefreshRequest{Call: call, Current: token.Parts[0].Token}); provider.KindOf(err) != provider.ReauthorizationRequired {
		t.Errorf("a spent refresh token: %v", err)
	}
	if _, err := p.Refresh(t.Context(), &provider.RefreshRequest{Call: call, Current: *token}); err != nil {
		t.Errorf("the bot's set ended too: %v", err)
	}
	emulated.Consents("")
	if alone, err := exchange(); err != nil || len(alone.Parts) != 0 {
		t.Errorf("for the bot alone: %d parts, %v", len(alone.Parts), err)
	}
}

func TestAPersonsSetAloneIsRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"ok":true,"authed_user":{"access_token":"a","refresh_token":"r"}}`))
	}))
	defer server.Close()
	_, err := newWorkspace().Exchange(t.Context(), &provider.ExchangeRequest{
		Call: provider.Call{HTTP: server.Client(), Service: provider.Service{Options: map[string]any{"server": server.URL}}}, Code: "c",
	})
	if provider.KindOf(err) != provider.Blocked {
		t.Errorf("got %v", err)
	}
}
