// Command options serves a provider that declares an option of every kind that a
// form can show. It is for tests alone.
package main

import (
	"context"
	"errors"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

type everyOption struct{}

var choices = []provider.Choice{{Value: "first"}, {Value: "second", Title: provider.Text{EN: "The second"}}, {Value: "third"}}

func (everyOption) Describe(context.Context) (*provider.Description, error) {
	return &provider.Description{
		Name: "options", Title: provider.Text{EN: "Every option"}, AutoRenew: provider.AutoRenewRefreshToken, PKCE: provider.PKCENone,
		Hosts: []provider.Host{{Pattern: "service.example", ClientSecret: true}},
		Options: provider.Schema{Options: []provider.Option{
			{Name: "text"},
			{Name: "text_required", Required: true},
			{Name: "text_default", Default: "as usual"},
			{Name: "pattern", Pattern: `[a-z]+`, Example: "letters"},
			{Name: "address", Format: "uri", Example: "https://service.example/x"},
			{Name: "number", Type: provider.OptionInteger},
			{Name: "number_default", Type: provider.OptionInteger, Default: 2_000_000},
			{Name: "number_bounded", Type: provider.OptionInteger, Default: 5, Minimum: -3, Maximum: 9},
			{Name: "box", Type: provider.OptionBoolean},
			{Name: "box_on", Type: provider.OptionBoolean, Default: true},
			{Name: "box_off", Type: provider.OptionBoolean, Default: false, Advanced: true},
			{Name: "choice", Choices: choices},
			{Name: "choice_required", Choices: choices, Required: true},
			{Name: "choice_default", Choices: choices, Default: "second", Advanced: true},
			{Name: "list", Type: provider.OptionList},
			{Name: "list_default", Type: provider.OptionList, Default: []string{"one thing", "a, b"}, Advanced: true},
			{Name: "secret", Secret: true},
			{Name: "secret_required", Secret: true, Required: true},
			{Name: "secret_number", Secret: true, Type: provider.OptionInteger, Advanced: true},
			{Name: "secret_box", Secret: true, Type: provider.OptionBoolean, Advanced: true},
			{Name: "secret_list", Secret: true, Type: provider.OptionList, Advanced: true},
		}},
	}, nil
}

func (everyOption) AuthCodeURL(_ context.Context, req *provider.AuthCodeURLRequest) (*provider.AuthCodeURL, error) {
	return &provider.AuthCodeURL{URL: "https://service.example/authorize?state=" + req.State}, nil
}

func (everyOption) Exchange(context.Context, *provider.ExchangeRequest) (*provider.Token, error) {
	return nil, errors.New("nobody is asked here")
}

func (everyOption) Refresh(context.Context, *provider.RefreshRequest) (*provider.Token, error) {
	return nil, errors.New("nobody is asked here")
}

func main() { providerplugin.Serve(everyOption{}) }
