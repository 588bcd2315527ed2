package main

import "github.com/evergrant/evergrant/sdk/provider"

// furtherOptions are those of endpoints and proofs that few services have.
var furtherOptions = []provider.Option{
	{
		Name: optionDevice, Format: "uri", Advanced: true, Example: "https://login.example.com/oauth/device",
		Title:  provider.Text{EN: "Device authorization address", RU: "Адрес авторизации устройств"},
		OnlyIf: &provider.OnlyIf{Option: optionGrants, Values: []string{grantsDevice, grantsPeople}},
		Help: provider.Text{
			EN: "RFC 8628. Needed only if it is not found by the issuer.",
			RU: "RFC 8628. Нужен, только если он не нашёлся по издателю.",
		},
	},
	{
		Name: optionIntrospection, Format: "uri", Advanced: true, Example: "https://login.example.com/oauth/introspect",
		Title: provider.Text{EN: "Introspection address", RU: "Адрес проверки токенов (introspection)"},
		Help: provider.Text{
			EN: "RFC 7662; the client secret is sent there. With it the hub can check whether a renewal would work without renewing.",
			RU: "RFC 7662; туда отправляется client_secret. С ним хаб может проверить, сработает ли продление, не продлевая.",
		},
	},
	{
		Name: optionPush, Type: provider.OptionBoolean, Advanced: true,
		Title: provider.Text{EN: "Send authorization requests ahead (PAR)", RU: "Отправлять запрос авторизации заранее (PAR)"},
		Help: provider.Text{
			EN: "RFC 9126. Tick it if the service recommends it; where the issuer requires it, it is done anyway.",
			RU: "RFC 9126. Отметьте, если сервис это рекомендует; если издатель требует, так будет в любом случае.",
		},
	},
	{
		Name: optionPushed, Format: "uri", Advanced: true, Example: "https://login.example.com/oauth/par",
		Title: provider.Text{EN: "Address for pushed authorization requests", RU: "Адрес для запросов авторизации (PAR)"},
		Help: provider.Text{
			EN: "Needed only if it is not found by the issuer.",
			RU: "Нужен, только если он не нашёлся по издателю.",
		},
	},
	{
		Name: optionResources, Type: provider.OptionList, Advanced: true, Example: "https://api.example.com",
		Title: provider.Text{EN: "Resources (RFC 8707)", RU: "Ресурсы (RFC 8707)"},
		Help: provider.Text{
			EN: "Addresses of what the tokens are for, sent as resource in authorization and token requests. Leave it empty unless the service asks for it.",
			RU: "Адреса того, для чего нужны токены; передаются как resource при авторизации и в запросах токенов. Оставьте пустым, если сервис этого не требует.",
		},
	},
	{
		Name: optionDPoP, Type: provider.OptionBoolean, Advanced: true,
		Title: provider.Text{EN: "Bind refresh tokens to a key of the hub (DPoP)", RU: "Привязать refresh-токены к ключу хаба (DPoP)"},
		Help: provider.Text{
			EN: "RFC 9449, for services that bind refresh tokens and leave access tokens as they are. A stolen refresh token is then of no use elsewhere. Services that bind access tokens too give tokens that processes cannot use.",
			RU: "RFC 9449, для сервисов, которые привязывают refresh-токены и оставляют access-токены обычными. Украденный refresh-токен тогда бесполезен. Если сервис привязывает и access-токены, процессы не смогут ими пользоваться.",
		},
	},
	{
		Name: optionAudience, Advanced: true, Example: "https://login.example.com",
		Title: provider.Text{EN: "Audience of assertions", RU: "Получатель утверждений (aud)"},
		Help: provider.Text{
			EN: "What the service expects as aud in signed assertions. Left empty: the token address.",
			RU: "Что сервис ждёт в поле aud подписанных утверждений. Если пусто: адрес токенов.",
		},
	},
}
