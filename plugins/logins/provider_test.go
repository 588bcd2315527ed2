package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/logins/loginstest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest"
)

func TestConformance(t *testing.T) {
	t.Run("taxcom-login", func(t *testing.T) {
		providertest.Run(t, providertest.Config{
			Provider: taxcomLogin{}, Public: true, TokenReply: `{"sessionToken":"{access}"}`, Replies: os.DirFS("testdata/taxcom"),
			Service: provider.Service{Options: map[string]any{optionIntegrator: "canary-integrator-11"}},
		})
	})
	t.Run("moysklad", func(t *testing.T) {
		providertest.Run(t, providertest.Config{
			Provider: moySklad{}, Public: true, TokenReply: `{"access_token":"{access}"}`, Replies: os.DirFS("testdata/moysklad"),
		})
	})
}

func TestSessionsOfTheEmulatedServices(t *testing.T) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	emulated := loginstest.New("anna", "right-password-1")
	emulated.Now, emulated.IntegratorID = func() time.Time { return now }, "our-id"
	server := httptest.NewServer(emulated)
	defer server.Close()
	login := func(p provider.LoginGrant, password string) (*provider.Token, error) {
		return p.Login(t.Context(), &provider.LoginRequest{
			Call: provider.Call{HTTP: server.Client(), Now: now, Service: provider.Service{Options: map[string]any{
				optionServer: server.URL, optionIntegrator: "our-id", optionAddress: server.URL + "/api/remap/1.2/security/token", optionField: "access_token",
			}}},
			Fields: provider.Fields{"login": "anna", "password": password},
		})
	}
	session, err := login(taxcomLogin{}, "right-password-1")
	if err != nil || emulated.State(session.AccessToken) != "valid" {
		t.Fatalf("taxcom: %v", err)
	}
	if now = now.Add(loginstest.SessionLife); emulated.State(session.AccessToken) == "valid" {
		t.Error("a session lives without use")
	}
	first, err := login(moySklad{}, "right-password-1")
	if err != nil {
		t.Fatal(err)
	}
	second, err := login(moySklad{}, "right-password-1")
	if err != nil || emulated.State(first.AccessToken) == "valid" || emulated.State(second.AccessToken) != "valid" {
		t.Errorf("moysklad: a new token does not end the earlier one: %v", err)
	}
	for name, p := range map[string]provider.LoginGrant{"taxcom": taxcomLogin{}, "moysklad": moySklad{}} {
		_, err := login(p, "wrong-password-1")
		if provider.KindOf(err) != provider.ReauthorizationRequired || strings.Contains(err.Error(), "wrong-password") {
			t.Errorf("%s: a wrong password is %v", name, err)
		}
	}
	if emulated.Locked() {
		t.Fatal("two wrong logins lock the account")
	}
	_, _ = login(moySklad{}, "wrong-password-1")
	if _, err := login(moySklad{}, "right-password-1"); !emulated.Locked() || err == nil {
		t.Error("the account is not locked")
	}
}

func TestTheAgreementIsNamedIfThereIsOne(t *testing.T) {
	var body, integrator string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(data)
		body, integrator = string(data), r.Header.Get("Integrator-ID")
		_, _ = w.Write([]byte(`{"sessionToken":"s"}`))
	}))
	defer server.Close()
	_, err := taxcomLogin{}.Login(t.Context(), &provider.LoginRequest{
		Call: provider.Call{
			HTTP: server.Client(), Service: provider.Service{Options: map[string]any{optionServer: server.URL + "/", optionIntegrator: "our-id"}},
			Connection: provider.Connection{Options: map[string]any{optionAgreement: " 77 "}},
		},
		Fields: provider.Fields{"login": "anna", "password": "p"},
	})
	if err != nil || !strings.Contains(body, `"agreementNumber":"77"`) || integrator != "our-id" {
		t.Errorf("sent %s with %s, %v", body, integrator, err)
	}
}
