package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// The options of api-key.
const (
	optionHeader = "header"
	optionPrefix = "prefix"
	optionCheck  = "check_url"
)

// apiKey is the provider of services that this plugin does not know.
type apiKey struct{}

var apiKeyDescription = provider.Description{
	Name: "api-key", Title: provider.Text{EN: "API key", RU: "API-ключ"},
	Summary: provider.Text{
		EN: "Any service whose API takes a key in a header. The hub keeps the key, checks a new one before it replaces the old, and tells its owner before it ends.",
		RU: "Любой сервис, чей API принимает ключ в заголовке. Хаб хранит ключ, проверяет новый перед заменой и предупреждает владельца до конца срока.",
	},
	Icon: icon, PublicClient: true, PKCE: provider.PKCENone, AutoRenew: provider.AutoRenewNone,
	Hosts: []provider.Host{{Pattern: provider.OptionHost(optionAPI)}, {Pattern: provider.OptionHost(optionCheck)}},
	Options: provider.Schema{Options: []provider.Option{
		apiOptions.Options[0],
		{
			Name: optionHeader, Default: "Authorization", Pattern: `[A-Za-z][A-Za-z0-9\-]*`, Example: "X-Api-Key",
			Title:       provider.Text{EN: "Header with the key", RU: "Заголовок с ключом"},
			PatternHint: provider.Text{EN: "The name of a header: Latin letters, digits, hyphens.", RU: "Имя заголовка: латинские буквы, цифры, дефисы."},
		},
		{
			Name: optionPrefix, Pattern: `[A-Za-z0-9._~+/\-]+`, Example: "Bearer",
			Title: provider.Text{EN: "Word before the key in the header", RU: "Слово перед ключом в заголовке"},
		},
		{
			Name: optionCheck, Format: "uri", Example: "https://api.example.com/me",
			Title: provider.Text{EN: "Address that checks a key", RU: "Адрес для проверки ключа"},
			Help: provider.Text{
				EN: "A GET that changes nothing there: 2xx means that the key works, 401 or 403 that it does not. Left empty, keys are taken unchecked.",
				RU: "GET-запрос, который ничего не меняет: 2xx — ключ работает, 401 или 403 — нет. Если пусто, ключи принимаются без проверки.",
			},
		},
	}},
	API: provider.API{BaseURL: "{option:" + optionAPI + "}", Name: "Authorization"},
	StaticKey: provider.StaticKey{
		Fields: provider.Schema{Options: []provider.Option{secretField("key", keyTitle)}},
	},
}

// Describe implements provider.Provider.
func (apiKey) Describe(context.Context) (*provider.Description, error) {
	d := apiKeyDescription
	return &d, nil
}

// PrepareService implements provider.ServicePreparer: where the key goes is the service's.
func (apiKey) PrepareService(_ context.Context, req *provider.PrepareServiceRequest) (*provider.PreparedService, error) { //nolint:unparam // the contract's signature
	d := apiKeyDescription
	d.Grants = provider.GrantsOf(apiKey{})
	d.API.Name = cmp.Or(req.Service.Option(optionHeader), "Authorization")
	if word := req.Service.Option(optionPrefix); word != "" {
		d.API.Prefix = word + " "
	}
	return &provider.PreparedService{Description: &d}, nil
}

// Static implements provider.StaticGrant.
func (apiKey) Static(ctx context.Context, req *provider.StaticRequest) (*provider.Token, error) {
	token, err := tokenOf(req.Fields, "key", nil)
	if err != nil || req.Service.Option(optionCheck) == "" {
		return token, err
	}
	header := cmp.Or(req.Service.Option(optionHeader), "Authorization")
	value := token.AccessToken
	if word := req.Service.Option(optionPrefix); word != "" {
		value = word + " " + value
	}
	return token, checked(ctx, req.Call, header, value, token.AccessToken)
}

// checked asks the service about a key. Only its status counts: any body is right.
func checked(ctx context.Context, call provider.Call, header, value, key string) error {
	reply, err := oauth.Do(ctx, call.HTTP, oauth.TokenRequest{
		Endpoint: call.Service.Option(optionCheck), Method: http.MethodGet, Header: http.Header{header: {value}}, Auth: oauth.AuthNone,
		ClientSecret: key, // is kept out of errors; nothing else is done with it
		Now:          call.Now,
	})
	if err != nil {
		return err
	}
	if reply.Status >= 200 && reply.Status < 300 {
		return nil
	}
	err = reply.Err(nil)
	e, ok := errors.AsType[*provider.Error](err)
	if ok && (reply.Status == http.StatusUnauthorized || reply.Status == http.StatusForbidden) {
		e.Kind = provider.ReauthorizationRequired
		e.Remedy = provider.Text{
			EN: "The service does not accept this key. Copy it once more, or make another one with the rights that are needed.",
			RU: "Сервис не принимает этот ключ. Скопируйте его ещё раз или создайте другой, с нужными правами.",
		}
	}
	return err
}
