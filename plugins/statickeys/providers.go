package main

import (
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// optionAPI is the address of a service's API, for processes. The plugin asks it nothing.
const optionAPI = "api_base_url"

// apiOptions ask for the address of the API.
var apiOptions = provider.Schema{Options: []provider.Option{{
	Name: optionAPI, Format: "uri", Example: "https://api.example.com",
	Title: provider.Text{EN: "Address of the API", RU: "Адрес API"},
	Help:  provider.Text{EN: "From the service's documentation; shown to processes.", RU: "Из документации сервиса; показывается процессам."},
}}}

// apiHosts are the host of that address.
func apiHosts() []provider.Host { return []provider.Host{{Pattern: provider.OptionHost(optionAPI)}} }

// secretField is a field of a key.
func secretField(name string, title provider.Text) provider.Option {
	return provider.Option{Name: name, Title: title, Required: true, Secret: true}
}

var keyTitle = provider.Text{EN: "Key", RU: "Ключ"}

var wildberries = key{
	token: "key", jwt: true,
	description: provider.Description{
		Name: "wildberries", Title: provider.Text{EN: "Wildberries", RU: "Wildberries"},
		Summary: provider.Text{
			EN: "A seller's key of the Wildberries API. It lives for 180 days, and only the owner of the seller's account makes a new one.",
			RU: "Ключ продавца для API Wildberries. Живёт 180 дней; новый создаёт только владелец кабинета.",
		},
		Notices: []provider.Text{{
			EN: "A key ends when the owner of the seller's account changes, whatever its date.",
			RU: "При смене владельца кабинета ключ перестаёт действовать, какой бы ни была его дата.",
		}},
		Lifetimes: provider.Lifetimes{AccessToken: 180 * 24 * time.Hour},
		Hosts:     apiHosts(), Options: apiOptions, API: provider.API{BaseURL: "{option:" + optionAPI + "}"},
		StaticKey: provider.StaticKey{
			Fields: provider.Schema{Options: []provider.Option{secretField("key", keyTitle)}},
			MadeBy: provider.Text{EN: "the owner of the seller's account only", RU: "только владелец кабинета продавца"},
			Steps: []provider.Text{
				{EN: "Make a key in the seller's account, with the rights that your processes need. It is shown once; a shop has at most 20.", RU: "Создайте ключ в кабинете продавца с правами, которые нужны процессам. Он показывается один раз; в кабинете их не больше 20."},
				{EN: "Copy it here whole. The hub reads its end from the key itself; the old key works until its own end.", RU: "Скопируйте его сюда целиком. Срок хаб прочтёт в самом ключе; прежний ключ действует до своего срока."},
			},
		},
	},
}

var ozonSeller = key{
	token: "api_key", extra: []string{"client_id"},
	description: provider.Description{
		Name: "ozon-seller", Title: provider.Text{EN: "Ozon Seller", RU: "Ozon Seller"},
		Summary: provider.Text{
			EN: "A seller's key of the Ozon API. Processes send it with the client ID, in the headers Api-Key and Client-Id.",
			RU: "Ключ продавца для API Ozon. Процессы отправляют его вместе с Client ID, в заголовках Api-Key и Client-Id.",
		},
		Notices: []provider.Text{{
			EN: "Whether keys end is not confirmed: enter the date if Ozon shows one.",
			RU: "Есть ли у ключей срок, не подтверждено: укажите дату, если Ozon её показывает.",
		}},
		Hosts: apiHosts(), Options: apiOptions, API: provider.API{BaseURL: "{option:" + optionAPI + "}", Name: "Api-Key"},
		StaticKey: provider.StaticKey{
			Fields: provider.Schema{Options: []provider.Option{
				{Name: "client_id", Title: provider.Text{EN: "Client ID", RU: "Client ID"}, Required: true, Example: "123456", Help: provider.Text{EN: "Handed to processes as extra.client_id.", RU: "Процессы получают его как extra.client_id."}},
				secretField("api_key", provider.Text{EN: "API key", RU: "API-ключ"}),
			}},
			MadeBy: provider.Text{EN: "whoever may make keys in the seller's account", RU: "тот, кому в кабинете продавца разрешено создавать ключи"},
			Steps: []provider.Text{{
				EN: "Make a key in the seller's account and choose its role. It is shown once.", RU: "Создайте ключ в кабинете продавца и выберите его роль. Он показывается один раз.",
			}},
		},
	},
}

var yandexMarket = key{
	token: "api_key",
	description: provider.Description{
		Name: "yandex-market", Title: provider.Text{EN: "Yandex Market", RU: "Яндекс Маркет"},
		Summary: provider.Text{
			EN: "A key of the Yandex Market partner API, sent in the header Api-Key. It has no end.",
			RU: "Ключ партнёрского API Яндекс Маркета, передаётся в заголовке Api-Key. Бессрочный.",
		},
		DocumentationURL: "https://yandex.ru/dev/market/partner-api/doc/ru/concepts/authorization",
		Lifetimes:        provider.Lifetimes{AccessToken: provider.Never},
		Hosts:            apiHosts(), Options: apiOptions, API: provider.API{BaseURL: "{option:" + optionAPI + "}", Name: "Api-Key"},
		StaticKey: provider.StaticKey{
			Fields:    provider.Schema{Options: []provider.Option{secretField("api_key", provider.Text{EN: "API-Key token", RU: "Токен API-Key"})}},
			MadeBy:    provider.Text{EN: "whoever may make keys in the partner's account", RU: "тот, кому в кабинете партнёра разрешено создавать ключи"},
			MadeAtURL: "https://yandex.ru/dev/market/partner-api/doc/ru/concepts/authorization",
			Steps: []provider.Text{{
				EN: "Make a key in the partner's account; there may be 30 of them.", RU: "Создайте ключ в кабинете партнёра; их может быть 30.",
			}},
		},
	},
}

var telegramSession = key{
	token: "session", extra: []string{"api_id", "api_hash"},
	description: provider.Description{
		Name: "telegram-session", Title: provider.Text{EN: "Telegram, session of a user", RU: "Telegram, сессия пользователя"},
		Summary: provider.Text{
			EN: "The session of a user's account with api_id and api_hash, as Bpium has it. Telegram ends it when the user logs out; it is not renewed.",
			RU: "Сессия аккаунта пользователя с api_id и api_hash, как в Бипиуме. Telegram завершает её, когда пользователь выходит; она не продлевается.",
		},
		Lifetimes: provider.Lifetimes{AccessToken: provider.Never},
		Hosts:     apiHosts(), Options: apiOptions,
		StaticKey: provider.StaticKey{
			Fields: provider.Schema{Options: []provider.Option{
				secretField("session", provider.Text{EN: "Session", RU: "Сессия (session)"}),
				{Name: "api_id", Title: provider.Text{EN: "api_id of the application", RU: "api_id приложения"}, Required: true, Pattern: `[0-9]+`, PatternHint: provider.Text{EN: "Digits only.", RU: "Только цифры."}, Example: "123456", Help: provider.Text{EN: "Processes need it: they get it as extra.api_id.", RU: "Нужен процессам: они получают его как extra.api_id."}},
				{Name: "api_hash", Title: provider.Text{EN: "api_hash of the application", RU: "api_hash приложения"}, Required: true, Secret: true, Help: provider.Text{EN: "Processes need it: they get it as extra.api_hash.", RU: "Нужен процессам: они получают его как extra.api_hash."}},
			}},
			MadeBy: provider.Text{EN: "the user whose account it is", RU: "пользователь, чей это аккаунт"},
		},
	},
}
