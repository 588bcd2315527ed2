package main

import "github.com/evergrant/evergrant/sdk/provider"

// The options of a service.
const (
	optionPublishing = "publishing_status"
	optionAccount    = "account_email"
	optionInclude    = "include_granted_scopes"
	optionBase       = "base_url"
	optionDPoP       = "dpop"
)

// dpopKey is the key of the hub that refresh tokens are bound to.
const dpopKey = "dpop"

// The values of optionPublishing.
const (
	inProduction = "production"
	inTesting    = "testing"
)

var options = provider.Schema{Options: []provider.Option{
	{
		Name: optionPublishing, Default: inProduction,
		Title: provider.Text{EN: "Publishing status of the app", RU: "Статус публикации приложения"},
		Help: provider.Text{
			EN: "Google Auth Platform → Audience. In testing a grant ends after 7 days, whatever its use, and a person has to authorize again.",
			RU: "Google Auth Platform → Audience. В режиме тестирования доступ кончается через 7 дней, даже если им пользуются, и человеку нужно авторизоваться снова.",
		},
		Choices: []provider.Choice{
			{Value: inProduction, Title: provider.Text{EN: "In production, or internal to a Workspace", RU: "Опубликовано (In production) или внутреннее (Internal)"}},
			{Value: inTesting, Title: provider.Text{EN: "Testing", RU: "Тестирование (Testing)"}},
		},
	},
	{
		Name: optionAccount, Type: provider.OptionBoolean, Default: true,
		Title: provider.Text{EN: "Ask for the account's e-mail", RU: "Запрашивать адрес почты аккаунта"},
		Help: provider.Text{
			EN: "Adds the scopes openid and userinfo.email, which need no review by Google. Without them the hub cannot show whose calendar it is and cannot notice that another account was chosen when authorizing again.",
			RU: "Добавляет права openid и userinfo.email, не требующие проверки Google. Без них хаб не покажет, чей это календарь, и не заметит, что при повторной авторизации выбран другой аккаунт.",
		},
	},
	{
		Name: optionInclude, Type: provider.OptionBoolean, Default: false, Advanced: true,
		Title: provider.Text{EN: "Include scopes granted earlier", RU: "Включать выданные ранее права"},
		Help: provider.Text{
			EN: "Sends include_granted_scopes: the token then also holds what the account has granted to other clients of the same Google project. Leave it off unless processes need that.",
			RU: "Передаёт include_granted_scopes: токен получит и те права, которые аккаунт выдал другим клиентам этого проекта Google. Включайте, только если это нужно процессам.",
		},
	},
	{
		Name: optionDPoP, Type: provider.OptionBoolean, Advanced: true,
		Title: provider.Text{EN: "Bind refresh tokens to a key of the hub (DPoP)", RU: "Привязать refresh-токены к ключу хаба (DPoP)"},
		Help: provider.Text{
			EN: "A stolen refresh token is then of no use elsewhere; access tokens stay as they are. Google has offered this since 2026. Existing connections are bound when they are authorized again.",
			RU: "Украденный refresh-токен тогда бесполезен; access-токены остаются обычными. Google поддерживает это с 2026 года. Существующие подключения будут привязаны при следующей авторизации.",
		},
	},
	{
		Name: optionBase, Format: "uri", Advanced: true, Example: "https://google.example.com",
		Title: provider.Text{EN: "Address of a gateway", RU: "Адрес шлюза"},
		Help: provider.Text{
			EN: "Replaces all of Google's hosts by one address, for a gateway in your network or an emulator. The client secret is sent there.",
			RU: "Заменяет все узлы Google одним адресом: для шлюза в вашей сети или эмулятора. Туда отправляется client_secret.",
		},
	},
}}
