package main

import (
	_ "embed"

	"github.com/evergrant/evergrant/sdk/provider"
)

//go:embed icon.svg
var icon []byte

// description is the description before a service is configured; PrepareService replaces
// it by the service's own.
var description = provider.Description{
	Name:  "oauth2",
	Title: provider.Text{EN: "OAuth 2.0", RU: "OAuth 2.0"},
	Summary: provider.Text{
		EN: "Any service that follows the OAuth 2.0 or OpenID Connect standard: by its issuer, or by its addresses.",
		RU: "Любой сервис по стандарту OAuth 2.0 или OpenID Connect: по издателю или по адресам.",
	},
	Icon:             icon,
	DocumentationURL: "https://www.rfc-editor.org/rfc/rfc6749",
	SetupSteps: []provider.Text{
		{
			EN: "Register an application at the service (client type confidential or web, grant authorization code) with the redirect URI {redirect_uri}. For client credentials that grant is allowed there, and no redirect URI is needed.",
			RU: "Зарегистрируйте приложение в сервисе (тип клиента confidential или web, грант authorization code) с адресом возврата {redirect_uri}. Для учётных данных приложения разрешите там client credentials; адрес возврата не нужен.",
		},
		{
			EN: "Copy the client ID and the client secret here. A public client has no secret; it is protected by PKCE.",
			RU: "Скопируйте сюда client_id и client_secret. У публичного клиента секрета нет, его защищает PKCE.",
		},
		{
			EN: "Enter the issuer; the service's documentation often calls it issuer, authority or realm. If the service publishes no metadata, enter its authorization and token addresses instead.",
			RU: "Укажите издателя; в документации сервиса он обычно называется issuer, authority или realm. Если сервис не публикует метаданные, укажите адреса авторизации и токенов.",
		},
		{
			EN: "Choose scopes. With OpenID Connect take openid (who the account is) and offline_access (a refresh token).",
			RU: "Выберите права. Для OpenID Connect возьмите openid (чей это аккаунт) и offline_access (refresh-токен).",
		},
	},
	AutoRenew:    provider.AutoRenewRefreshToken,
	Rotation:     provider.Rotation{Kind: provider.RotationRotates},
	RenewWindow:  provider.RenewWindow{Kind: provider.RenewBeforeExpiry},
	PKCE:         provider.PKCERequired,
	PublicClient: true,
	Hosts: []provider.Host{
		{Pattern: provider.OptionHost(optionIssuer)},
		{Pattern: provider.OptionHost(optionAuthorization)},
		{Pattern: provider.OptionHost(optionToken), ClientSecret: true},
		{Pattern: provider.OptionHost(optionRevocation), ClientSecret: true},
		{Pattern: provider.OptionHost(optionUserinfo)},
		{Pattern: provider.OptionHost(optionDevice), ClientSecret: true},
		{Pattern: provider.OptionHost(optionIntrospection), ClientSecret: true},
		{Pattern: provider.OptionHost(optionPushed), ClientSecret: true},
	},
	Options: options,
	Scopes:  wellKnown,
	API:     provider.API{BaseURL: "{option:" + optionAPI + "}", In: "header", Name: "Authorization", Prefix: "Bearer "},
}

// wellKnown are the scopes of OpenID Connect Core sections 5.4 and 11.
var wellKnown = []provider.Scope{
	{Name: "openid", Title: provider.Text{EN: "Who the account is (OpenID Connect)", RU: "Чей это аккаунт (OpenID Connect)"}},
	{Name: "email", Title: provider.Text{EN: "E-mail of the account", RU: "Адрес почты аккаунта"}},
	{Name: "profile", Title: provider.Text{EN: "Name of the account", RU: "Имя аккаунта"}},
	{Name: "phone", Title: provider.Text{EN: "Telephone number of the account", RU: "Номер телефона аккаунта"}},
	{Name: "address", Title: provider.Text{EN: "Postal address of the account", RU: "Почтовый адрес аккаунта"}},
	{Name: "offline_access", Title: provider.Text{EN: "A refresh token: access while the person is away", RU: "Refresh-токен: доступ в отсутствие человека"}},
}
