package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
)

// noon is the time in these tests; its nanoseconds are more than a column keeps.
var noon = time.Date(2030, 1, 2, 12, 0, 0, 123_456_789, time.UTC)

// cut is a time as it comes back.
func cut(t time.Time) time.Time { return t.Truncate(time.Millisecond) }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

func newService(name string) service.Service {
	return service.Service{
		ID: store.NewID(), Name: name, Title: "Битрикс24 — " + name, Provider: "bitrix24",
		ClientID: "app.1", ClientSecret: "plain-client-secret", SecretEndsAt: cut(noon).AddDate(0, 1, 0), Scopes: []string{"crm", "user"},
		Options: map[string]any{
			"portal": "corezoid", "fresh": true, "every": int64(9007199254740993), "hosts": []string{"a", "b"}, "pass": "plain-option-secret",
		},
		OtherSecret: service.Secret{Value: "plain-other-secret", EndsAt: cut(noon).AddDate(1, 0, 0)},
		Data:        []byte("plain-prepared-data"), RedirectURI: "https://hub.example/cb",
		Description: &provider.Description{
			Name: "bitrix24", AutoRenew: provider.AutoRenewRefreshToken, PKCE: provider.PKCENone,
			Hosts:   []provider.Host{{Pattern: "oauth.bitrix.info"}},
			Options: provider.Schema{Options: []provider.Option{{Name: "portal", Type: provider.OptionString, Required: true}}},
		},
		PluginSum: "abc", CreatedAt: noon, UpdatedAt: noon,
	}
}

func addService(t *testing.T, s *store.Store, name string) service.Service {
	t.Helper()
	svc := newService(name)
	check(t, s.Services.CreateService(t.Context(), svc))
	return svc
}

var renewing = connection.Policy{
	AutoRenew: provider.AutoRenewRefreshToken,
	Rotation:  provider.Rotation{Kind: provider.RotationRotates},
	Lifetimes: provider.Lifetimes{AccessToken: time.Hour},
}

// tokens are a token set as a provider returns it.
func tokens(access, refresh string) provider.Token {
	return provider.Token{
		AccessToken: access, RefreshToken: refresh, TokenType: "bearer", ExpiresIn: provider.Seconds(3600),
		Scopes: []string{}, Extra: map[string]any{"member_id": "plain-member"},
	}
}

// addGranted adds a connection of generation 1 to a service.
func addGranted(t *testing.T, s *store.Store, serviceID, name string) connection.Connection {
	t.Helper()
	c := connection.New(noon, store.NewID(), name, "Отдел продаж "+name, serviceID, renewing).
		Granted(noon, noon, tokens("plain-access-1", "plain-refresh-1"), provider.Account{ID: "7", Name: "anna"}, []string{"crm"})
	check(t, s.Grants.CreateConnection(t.Context(), c))
	return c
}

// read reads a connection back.
func read(t *testing.T, s *store.Store, id string) connection.Connection {
	t.Helper()
	c, err := s.Grants.Connection(t.Context(), id)
	check(t, err)
	return c
}

// removeForGood deletes a connection and empties the trash of it.
func removeForGood(t *testing.T, s *store.Store, id string) {
	t.Helper()
	check(t, s.Grants.TrashConnection(t.Context(), id, "", time.Now()))
	check(t, s.Grants.DeleteTrashed(t.Context(), id))
}
