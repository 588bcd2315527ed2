package main

import (
	"os"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest"
)

func TestConformance(t *testing.T) {
	for name, options := range map[string]map[string]any{
		"Google":    nil,
		"a gateway": {optionBase: "https://google.example.com/oauth/", optionInclude: true},
		"bound":     {optionDPoP: true},
	} {
		t.Run(name, func(t *testing.T) {
			providertest.Run(t, providertest.Config{
				Provider: newProvider(),
				Service: provider.Service{
					Scopes: []string{scopePrefix + "calendar"}, Options: options,
				},
				Current: provider.Token{Scopes: append([]string{scopePrefix + "calendar"}, signIn...)},
				Replies: os.DirFS("testdata/replies"),
			})
		})
	}
}
