package main

import (
	"slices"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Names and values of the options.
const (
	optionServer        = "server"
	optionProlongURL    = "prolong_url"
	optionAPIPlacement  = "api_placement"
	optionExpiresInUnit = "expires_in_unit"
	optionClientAuth    = "client_auth"
	optionStateEcho     = "state_echo"
	optionAuthorizeBase = "authorize_base"
	optionTokenBase     = "token_base"
	optionAgreedLife    = "agreed_lifetime"

	optionProlongMethod    = "prolong_method"
	optionProlongTokenIn   = "prolong_token_in"
	optionProlongTokenName = "prolong_token_parameter"
	optionProlongParams    = "prolong_parameters"
	optionProlongToken     = "prolong_token_field"
	optionProlongExpires   = "prolong_expires_field"

	inHeaders   = "headers"
	inSession   = "session_token"
	inBearer    = "bearer"
	inParameter = "parameter"

	// clientIDPlace is replaced by the client ID in the parameters of a prolongation.
	clientIDPlace = "{client_id}"

	tokenInSession   = "session_token"
	tokenInBearer    = "bearer"
	unitSeconds      = "seconds"
	unitMilliseconds = "milliseconds"
	authBasic        = "basic"
	authRawBase64    = "raw_base64"
	authBody         = "body"
	yes              = "yes"
	no               = "no"
)

var options = provider.Schema{Options: slices.Concat(mainOptions, prolongOptions, advancedOptions)}

var mainOptions = []provider.Option{
	{
		Name: optionServer, Example: "lk-ofd",
		Title: provider.Text{EN: "Server", RU: "Сервер"},
		Help: provider.Text{
			EN: "The name that Taxcom told you, which stands for <server> in its documentation: lk-ofd means auth-lk-ofd.taxcom.ru for the person and lk-ofd.taxcom.ru for tokens. Which names there are is not public. A host is taken as well.",
			RU: "Имя, которое сообщил Такском; в его документации это <server>: lk-ofd означает auth-lk-ofd.taxcom.ru для входа и lk-ofd.taxcom.ru для токенов. Какие имена бывают, публично не сказано. Можно ввести и хост.",
		},
	},
	{
		Name: optionProlongURL, Format: "uri", Example: "https://lk-ofd.taxcom.ru/core/connect/prolong",
		Title: provider.Text{EN: "Prolongation address", RU: "Адрес продления"},
		Help: provider.Text{
			EN: "The address of the method that prolongs a token, if Taxcom told you one. Empty: there is no auto-renewal, and the date of expiry is shown.",
			RU: "Адрес метода, продлевающего токен, если Такском его сообщил. Пусто — автопродления нет, показывается срок годности.",
		},
	},
	{
		Name: optionExpiresInUnit, Default: unitSeconds,
		Title: provider.Text{EN: "Unit of expires_in", RU: "Единица expires_in"},
		Help: provider.Text{
			EN: "Taxcom's example says 3600000, which is 41 days in seconds, as the standard has it, or one hour in milliseconds. Choose milliseconds if tokens turn out to end much sooner than shown.",
			RU: "В примере Такском указано 3600000: это 41 день в секундах, как требует стандарт, или один час в миллисекундах. Выберите миллисекунды, если токены перестают работать намного раньше показанного срока.",
		},
		Choices: []provider.Choice{
			{Value: unitSeconds, Title: provider.Text{EN: "Seconds", RU: "Секунды"}},
			{Value: unitMilliseconds, Title: provider.Text{EN: "Milliseconds", RU: "Миллисекунды"}},
		},
	},
	{
		Name: optionAgreedLife, Example: "41d", Pattern: `^[1-9][0-9]{0,4}[dhm]$`,
		Title:       provider.Text{EN: "Agreed lifetime of a token", RU: "Согласованный срок токена"},
		PatternHint: provider.Text{EN: "A number with d for days, h for hours or m for minutes: 41d, 12h.", RU: "Число и d — дни, h — часы или m — минуты: 41d, 12h."},
		Help: provider.Text{
			EN: "The lifetime that was agreed with Taxcom at registration. It then counts instead of expires_in of the reply. Empty: the reply counts.",
			RU: "Срок, согласованный с Такском при регистрации. Тогда считается он, а не expires_in из ответа. Пусто — считается ответ.",
		},
	},
}

var advancedOptions = []provider.Option{
	{
		Name: optionClientAuth, Default: authBasic, Advanced: true,
		Title: provider.Text{EN: "Client authentication", RU: "Аутентификация клиента"},
		Help: provider.Text{
			EN: "How the client ID and the secret are sent. Taxcom's page shows base64 without the word Basic; servers of its kind want the word. Try the others if Taxcom answers invalid_client.",
			RU: "Как передаются идентификатор клиента и секрет. На странице Такском показан base64 без слова Basic, а серверы этого типа ждут его. Если Такском отвечает invalid_client, попробуйте другие варианты.",
		},
		Choices: []provider.Choice{
			{Value: authBasic, Title: provider.Text{EN: "Authorization: Basic base64", RU: "Authorization: Basic base64"}},
			{Value: authRawBase64, Title: provider.Text{EN: "Authorization: base64 (as on Taxcom's page)", RU: "Authorization: base64 (как на странице Такском)"}},
			{Value: authBody, Title: provider.Text{EN: "In the form of the request", RU: "В теле запроса"}},
		},
	},
	{
		Name: optionAPIPlacement, Default: tokenInSession, Advanced: true,
		Title: provider.Text{EN: "Token in API calls", RU: "Токен в вызовах API"},
		Help: provider.Text{
			EN: "What processes are told about where the token goes. Taxcom calls it a temporary access marker, which its API takes in Session-Token.",
			RU: "Что сообщается процессам о месте токена. Такском называет его временным маркером доступа, который API принимает в Session-Token.",
		},
		Choices: []provider.Choice{
			{Value: tokenInSession, Title: provider.Text{EN: "Session-Token", RU: "Session-Token"}},
			{Value: tokenInBearer, Title: provider.Text{EN: "Authorization: Bearer", RU: "Authorization: Bearer"}},
		},
	},
	{
		Name: optionStateEcho, Default: yes, Advanced: true,
		Title: provider.Text{EN: "Taxcom returns state", RU: "Такском возвращает state"},
		Help: provider.Text{
			EN: "Taxcom's page does not mention the parameter state. Choose no only if authorizations come back without it: they are then told apart by the browser alone.",
			RU: "На странице Такском параметр state не упомянут. Выберите «нет», только если после авторизации он не приходит: тогда авторизации различаются лишь по браузеру.",
		},
		Choices: []provider.Choice{
			{Value: yes, Title: provider.Text{EN: "Yes", RU: "Да"}},
			{Value: no, Title: provider.Text{EN: "No", RU: "Нет"}},
		},
	},
	{
		Name: optionAuthorizeBase, Format: "uri", Advanced: true, Example: "https://auth-lk-ofd.taxcom.ru",
		Title: provider.Text{EN: "Address of the authorize server", RU: "Адрес сервера входа"},
		Help: provider.Text{
			EN: "Instead of the one that follows from the server's name. /core/connect/authorize is added.",
			RU: "Вместо того, который следует из имени сервера. К нему добавляется /core/connect/authorize.",
		},
	},
	{
		Name: optionTokenBase, Format: "uri", Advanced: true, Example: "https://lk-ofd.taxcom.ru",
		Title: provider.Text{EN: "Address of the token server", RU: "Адрес сервера токенов"},
		Help: provider.Text{
			EN: "Instead of the one that follows from the server's name. /core/connect/token is added. The client secret is sent there.",
			RU: "Вместо того, который следует из имени сервера. К нему добавляется /core/connect/token. Туда передаётся секрет клиента.",
		},
	},
}
