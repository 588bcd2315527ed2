package operation

import (
	"slices"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

func TestSecretsThatAPluginLearnsAreKnownByTheirFields(t *testing.T) {
	for body, want := range map[string][]string{
		`{"access_token":"a","refresh_token":"r","expires_in":3600,"scope":"x","user":{"id_token":"i","name":"n"}}`: {"a", "r", "i"},
		`{"error":"invalid_grant","error_description":"token expired"}`:                                             nil,
		`[{"accessToken":"a"},{"api_key":"k"}]`:                                                                     {"a", "k"},
		"access_token=a&expires=5":                                                                                  {"a"},
		"<html>":                                                                                                    nil,
		"":                                                                                                          nil,
	} {
		if got := secretsIn(&providerplugin.HTTPResponse{Body: []byte(body)}); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
	svc := service.Service{ClientSecret: "s", Options: map[string]any{"login": "l", "pin": "p"}, Description: &provider.Description{
		Options:           provider.Schema{Options: []provider.Option{{Name: "login"}, {Name: "pin", Secret: true}}},
		ConnectionOptions: provider.Schema{Options: []provider.Option{{Name: "own", Secret: true}, {Name: "seen"}}},
	}}
	if got := secretsOf(svc, provider.Connection{Options: map[string]any{"own": "c", "seen": "d"}}); !slices.Equal(got, []string{"s", "p", "c"}) {
		t.Errorf("of the registration: %v", got)
	}
}
