package main

import "github.com/evergrant/evergrant/sdk/provider"

// Names and values of the options.
const (
	optionPortal      = "portal"
	optionRenewPolicy = "renew_policy"
	optionRenewEvery  = "renew_every_minutes"
	optionTokenMethod = "token_method"
	optionAuthServer  = "auth_server"

	policyOnDemand    = "on_demand"
	policyAlwaysFresh = "always_fresh"
	tokenByPost       = "post"
	tokenByGet        = "get"

	defaultRenewEvery = int64(25)
)

var options = provider.Schema{Options: []provider.Option{
	{
		Name: optionPortal, Required: true, Example: "acme.bitrix24.com",
		Title: provider.Text{EN: "Portal", RU: "Портал"},
		Help: provider.Text{
			EN: "Where your people log in: a host such as acme.bitrix24.com, or the full address of a box of your own such as http://b24.local:8080. A name alone, acme, is acme.bitrix24.ru.",
			RU: "Где входят ваши сотрудники: имя (acme — это acme.bitrix24.ru), хост (acme.bitrix24.by) или полный адрес коробки, например http://b24.local:8080.",
		},
	},
	{
		Name: optionRenewPolicy, Default: policyOnDemand,
		Title: provider.Text{EN: "Renewal", RU: "Автопродление"},
		Help: provider.Text{
			EN: "Bitrix24 asks applications to renew only when a token has expired and is needed, and says that others may be blocked. Choose always fresh if processes keep a token for themselves and expect it to be young.",
			RU: "Битрикс24 просит продлевать токен, только когда он истёк и понадобился, и предупреждает, что иначе приложение могут заблокировать. «Всегда свежий» нужен, если процессы хранят токен у себя и ждут, что он недавний.",
		},
		Choices: []provider.Choice{
			{Value: policyOnDemand, Title: provider.Text{
				EN: "On demand, and every 20 days if unused (as the vendor asks)", RU: "По запросу, а без запросов раз в 20 дней (как просит Битрикс24)",
			}},
			{Value: policyAlwaysFresh, Title: provider.Text{EN: "Always fresh, on a schedule", RU: "Всегда свежий, по расписанию"}},
		},
	},
	{
		Name: optionRenewEvery, Type: provider.OptionInteger, OnlyIf: &provider.OnlyIf{Option: optionRenewPolicy, Values: []string{policyAlwaysFresh}}, Default: defaultRenewEvery, Minimum: 5, Maximum: 55,
		Title: provider.Text{EN: "Renew every … minutes", RU: "Продлевать каждые … минут"},
		Help: provider.Text{
			EN: "An access token lives for 60 minutes, and a renewal ends the one before.",
			RU: "Токен доступа живёт 60 минут, продление прекращает предыдущий.",
		},
	},
	{
		Name: optionTokenMethod, Default: tokenByPost, Advanced: true,
		Title: provider.Text{EN: "Token request", RU: "Запрос токена"},
		Help: provider.Text{
			EN: "Choose GET only if the portal refuses POST: GET writes the application's key into the logs on the way.",
			RU: "GET нужен, только если портал не принимает POST: при GET ключ приложения попадает в журналы по пути.",
		},
		Choices: []provider.Choice{
			{Value: tokenByPost, Title: provider.Text{EN: "POST (keeps secrets out of logs)", RU: "POST (секреты не попадают в журналы)"}},
			{Value: tokenByGet, Title: provider.Text{EN: "GET (as documented)", RU: "GET (как в документации)"}},
		},
	},
	{
		Name: optionAuthServer, Advanced: true, Example: "https://oauth.example.com",
		Title: provider.Text{EN: "Authorization server", RU: "Сервер авторизации"},
		Help: provider.Text{
			EN: "Leave empty: the portal says which of the vendor's servers, oauth.bitrix.info or oauth.bitrix24.tech, is its own, and no other is ever used. Enter an address only for a box with an authorization server of its own; that one then gets the client secret.",
			RU: "Оставьте пустым: портал сам называет свой сервер из двух (oauth.bitrix.info или oauth.bitrix24.tech), другие не используются. Адрес нужен только для коробки с собственным сервером авторизации; ему и будет передаваться секретный ключ.",
		},
	},
}}
