package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/statickeys/statickeystest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest"
)

func TestConformance(t *testing.T) {
	for name, test := range map[string]struct {
		provider provider.Provider
		options  map[string]any
	}{
		"wildberries": {wildberries, nil}, "ozon-seller": {ozonSeller, nil}, "yandex-market": {yandexMarket, nil},
		"telegram-session": {telegramSession, nil}, "api-key": {apiKey{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			providertest.Run(t, providertest.Config{Provider: test.provider, Public: true, Service: provider.Service{Options: test.options}})
		})
	}
	t.Run("api-key that is checked", func(t *testing.T) {
		providertest.Run(t, providertest.Config{
			Provider: apiKey{}, Public: true, Replies: os.DirFS("testdata/replies"),
			Service: provider.Service{Options: map[string]any{optionCheck: "https://api.example.com/me"}},
		})
	})
}

var noon = time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)

// jwt is a key with claims.
func jwt(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"ES256"}`)) + "." + encode([]byte(claims)) + ".c2lnbmF0dXJl"
}

func TestTheEndOfAKeyIsReadFromTheKey(t *testing.T) {
	for name, tc := range map[string]struct {
		key  string
		life time.Duration
		none bool
		code string
	}{
		"an end":          {key: jwt(fmt.Sprintf(`{"exp":%d}`, noon.Add(90*24*time.Hour).Unix())), life: 90 * 24 * time.Hour},
		"with spaces":     {key: "  " + jwt(fmt.Sprintf(`{"exp":%d}`, noon.Add(time.Hour).Unix())) + "\n", life: time.Hour},
		"no end":          {key: jwt(`{"sid":"7"}`), none: true},
		"over":            {key: jwt(fmt.Sprintf(`{"exp":%d}`, noon.Unix())), code: "expired"},
		"no JWT":          {key: "abc", code: "not_a_jwt"},
		"a JWT of nobody": {key: "a.b.c", code: "not_a_jwt"},
		"two words":       {key: "a b", code: "no_key"},
		"nothing":         {key: " ", code: "no_key"},
	} {
		token, err := wildberries.Static(t.Context(), &provider.StaticRequest{Call: provider.Call{Now: noon}, Fields: provider.Fields{"key": tc.key}})
		if tc.code != "" {
			e, ok := errors.AsType[*provider.Error](err)
			if !ok || e.Code != tc.code || e.Kind != provider.ReauthorizationRequired || e.Remedy.RU == "" {
				t.Errorf("%s: %v, want %s with a remedy", name, err, tc.code)
			}
			continue
		}
		if err != nil || token.AccessToken != strings.TrimSpace(tc.key) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if tc.none != (token.ExpiresIn == nil) || !tc.none && *token.ExpiresIn != tc.life {
			t.Errorf("%s: it lives for %v, want %s", name, token.ExpiresIn, tc.life)
		}
	}
}

func TestProcessesGetWhatBelongsToAKey(t *testing.T) {
	token, err := ozonSeller.Static(t.Context(), &provider.StaticRequest{Fields: provider.Fields{"client_id": "77", "api_key": "k"}})
	if err != nil || token.AccessToken != "k" || token.Extra["client_id"] != "77" {
		t.Errorf("ozon: %v, %v", token, err)
	}
	token, err = telegramSession.Static(t.Context(), &provider.StaticRequest{Fields: provider.Fields{"session": "s", "api_id": "1", "api_hash": "h"}})
	if err != nil || token.AccessToken != "s" || token.Extra["api_id"] != "1" || token.Extra["api_hash"] != "h" {
		t.Errorf("telegram: %v, %v", token, err)
	}
}

func TestTheServiceIsAskedAboutAKey(t *testing.T) {
	emulated := statickeystest.New()
	server := httptest.NewServer(emulated)
	defer server.Close()
	good := emulated.Make(time.Hour)
	ask := func(key, address string) error {
		_, err := apiKey{}.Static(context.Background(), &provider.StaticRequest{
			Call: provider.Call{HTTP: server.Client(), Now: noon, Service: provider.Service{Options: map[string]any{
				optionHeader: statickeystest.Header, optionCheck: address,
			}}},
			Fields: provider.Fields{"key": key},
		})
		return err
	}
	if err := ask(good, server.URL); err != nil {
		t.Errorf("a good key is refused: %v", err)
	}
	if err := ask("wrong-key-1234567", server.URL); provider.KindOf(err) != provider.ReauthorizationRequired || strings.Contains(err.Error(), "wrong-key") {
		t.Errorf("a wrong key: %v", err)
	}
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer down.Close()
	if err := ask(good, down.URL); provider.KindOf(err) != provider.Transient {
		t.Errorf("an outage: %v", err)
	}
}
