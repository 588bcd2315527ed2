package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// The options of moysklad.
const (
	optionAddress = "token_url"
	optionField   = "token_field"
)

// moySklad is the token endpoint of MoySklad.
type moySklad struct{}

// Describe implements provider.Provider.
func (moySklad) Describe(context.Context) (*provider.Description, error) {
	return &provider.Description{
		Name: "moysklad", Title: provider.Text{EN: "MoySklad", RU: "МойСклад"},
		Summary: provider.Text{
			EN: "A token of MoySklad's API, by the login of a user.",
			RU: "Токен API МоегоСклада по логину и паролю пользователя.",
		},
		Icon: icon, PublicClient: true, PKCE: provider.PKCENone, AutoRenew: provider.AutoRenewReissue,
		Rotation: provider.Rotation{Kind: provider.RotationRotatesRevokesAccess, RepeatSafe: true}, OneGrantPerAccount: true,
		Notices: []provider.Text{
			{
				EN: "A new token ends all earlier tokens of the user: give the hub a user of its own.",
				RU: "Новый токен отменяет все прежние токены пользователя: заведите для хаба отдельного пользователя.",
			},
			{
				EN: "How long a token lives, and the name of its field in the reply, are not confirmed; a process that is refused has it renewed.",
				RU: "Срок токена и имя его поля в ответе не подтверждены; процесс, получивший отказ, может потребовать новый.",
			},
		},
		Hosts: []provider.Host{{Pattern: "api.moysklad.ru"}, {Pattern: provider.OptionHost(optionAddress)}},
		Options: provider.Schema{Options: []provider.Option{
			{
				Name: optionAddress, Format: "uri", Default: "https://api.moysklad.ru/api/remap/1.2/security/token", Advanced: true, Example: "https://api.moysklad.ru/api/remap/1.2/security/token",
				Title: provider.Text{EN: "Token address", RU: "Адрес токенов"},
			},
			{
				Name: optionField, Default: "access_token", Pattern: `[A-Za-z0-9_]+`, Advanced: true, Example: "access_token",
				Title: provider.Text{EN: "Field of the reply with the token", RU: "Поле ответа с токеном"},
			},
		}},
		Login: provider.Schema{Options: []provider.Option{
			{Name: "login", Required: true, Example: "robot@shop", Title: provider.Text{EN: "Login", RU: "Логин"}},
			{Name: "password", Required: true, Secret: true, Title: provider.Text{EN: "Password", RU: "Пароль"}},
		}},
		API: provider.API{BaseURL: "https://api.moysklad.ru/api/remap/1.2"},
	}, nil
}

// Login implements provider.LoginGrant. The service allows few wrong logins: any 401 is one.
func (moySklad) Login(ctx context.Context, req *provider.LoginRequest) (*provider.Token, error) {
	login, password := req.Fields.Text("login"), req.Fields.Text("password")
	reply, err := oauth.Do(ctx, req.HTTP, oauth.TokenRequest{
		Endpoint: req.Service.Option(optionAddress), Auth: oauth.AuthNone, ClientSecret: password, Now: req.Now,
		Header: http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(login+":"+password))}},
	})
	if err != nil {
		return nil, err
	}
	token, err := tokenOf(reply, cmp.Or(req.Service.Option(optionField), "access_token"), nil)
	if e, ok := errors.AsType[*provider.Error](err); ok && reply.Status == http.StatusUnauthorized && e.Code != "invalid_client" {
		e.Kind, e.Remedy = provider.ReauthorizationRequired, wrongLogin
	}
	return token, err
}
