package main

import (
	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// The options of a service. Addresses are named as in RFC 8414.
const (
	optionIssuer        = "issuer"
	optionAuthorization = "authorization_endpoint"
	optionToken         = "token_endpoint"
	optionRevocation    = "revocation_endpoint"
	optionUserinfo      = "userinfo_endpoint"
	optionClientAuth    = "client_auth"
	optionGrants        = "grants"
	optionPKCE          = "pkce"
	optionRenew         = "renew"
	optionRotation      = "rotation"
	optionGrace         = "rotation_grace"
	optionAPI           = "api_base_url"
	optionPrefix        = "token_header_prefix"
	optionSeparator     = "scope_separator"
	optionParams        = "authorize_params"
	optionTokenParams   = "token_params"
	optionRefreshParams = "refresh_params"
	optionLoginHint     = "login_hint"
	optionWindow        = "renew_window"
	optionThrottles     = "throttles"
	optionOneGrant      = "one_grant_per_account"
	optionAccountID     = "account_id_field"
	optionAccountName   = "account_name_field"
	optionExpiresIn     = "expires_in"
	optionDevice        = "device_authorization_endpoint"
	optionIntrospection = "introspection_endpoint"
	optionPushed        = "pushed_authorization_request_endpoint"
	optionPush          = "push"
	optionResources     = "resources"
	optionDPoP          = "dpop"
	optionAudience      = "assertion_audience"
)

// The values of optionLoginHint.
const (
	hintAccount = "account"
	hintNone    = "none"
)

// The values of optionRenew.
const (
	renewRefresh = "refresh_token"
	renewNone    = "none"
)

// The values of optionGrants.
const (
	grantsCode   = "authorization_code"
	grantsClient = "client_credentials"
	grantsBoth   = "both"
	grantsDevice = "device_code"
	grantsPeople = "authorization_code_and_device_code"
	grantsBearer = "assertion"
)

// grantsChosen are the grants by which connections may get tokens, by optionGrants.
var grantsChosen = map[string][]provider.Grant{
	"":           {provider.GrantAuthorizationCode},
	grantsCode:   {provider.GrantAuthorizationCode},
	grantsClient: {provider.GrantClientCredentials},
	grantsBoth:   {provider.GrantAuthorizationCode, provider.GrantClientCredentials},
	grantsDevice: {provider.GrantDevice},
	grantsPeople: {provider.GrantAuthorizationCode, provider.GrantDevice},
	grantsBearer: {provider.GrantAssertion},
}

// separators are the values of optionSeparator: a form drops a space that is entered
// alone.
var separators = map[string]string{"": " ", "space": " ", "comma": ",", "semicolon": ";", "plus": "+"}

// fieldPath is a pattern for the path of a field in a JSON object.
const fieldPath = `[A-Za-z0-9_\-]+(\.[A-Za-z0-9_\-]+)*`

var options = provider.Schema{Options: append([]provider.Option{
	{
		Name: optionIssuer, Format: "uri", Example: "https://login.example.com",
		Title: provider.Text{EN: "Issuer", RU: "Издатель (issuer)"},
		Help: provider.Text{
			EN: "The authorization server's own name, exactly as its documentation writes it. The addresses below are then found by discovery (OpenID Connect or RFC 8414) and may stay empty.",
			RU: "Собственное имя сервера авторизации, точно как в его документации. Адреса ниже тогда находятся сами (OpenID Connect или RFC 8414), их можно не заполнять.",
		},
	},
	{
		Name: optionAuthorization, Format: "uri", Example: "https://login.example.com/oauth/authorize",
		Title: provider.Text{EN: "Authorization address", RU: "Адрес авторизации"},
		Help: provider.Text{
			EN: "Where a person grants access. Needed only without an issuer.",
			RU: "Где человек предоставляет доступ. Нужен, только если издатель не указан.",
		},
	},
	{
		Name: optionToken, Format: "uri", Example: "https://login.example.com/oauth/token",
		Title: provider.Text{EN: "Token address", RU: "Адрес токенов"},
		Help: provider.Text{
			EN: "Where codes and refresh tokens are exchanged; the client secret is sent there. Needed only without an issuer.",
			RU: "Где обмениваются коды и refresh-токены; туда отправляется client_secret. Нужен, только если издатель не указан.",
		},
	},
	{
		Name: optionRevocation, Format: "uri", Example: "https://login.example.com/oauth/revoke",
		Title: provider.Text{EN: "Revocation address", RU: "Адрес отзыва"},
		Help: provider.Text{
			EN: "RFC 7009; the client secret is sent there. Without it a grant is withdrawn at the service itself.",
			RU: "RFC 7009; туда отправляется client_secret. Без него доступ отзывают в самом сервисе.",
		},
	},
	{
		Name: optionUserinfo, Format: "uri", Example: "https://login.example.com/userinfo",
		Title: provider.Text{EN: "Userinfo address", RU: "Адрес сведений об аккаунте (userinfo)"},
		Help: provider.Text{
			EN: "Answers an access token with JSON about the account. Without it the account is known only where the service sends an ID token.",
			RU: "Отвечает на access-токен данными аккаунта в JSON. Без него аккаунт известен, только если сервис присылает ID-токен.",
		},
	},
	{
		Name: optionGrants, Default: grantsCode,
		Title: provider.Text{EN: "How tokens are obtained", RU: "Как получают токены"},
		Help: provider.Text{
			EN: "A person authorizes in the browser, or the application obtains tokens for itself (client credentials, RFC 6749 section 4.4). With both, each connection chooses.",
			RU: "Человек авторизуется в браузере или приложение получает токены для себя (client credentials, RFC 6749, раздел 4.4). Если доступны оба способа, его выбирают для каждого подключения.",
		},
		Choices: []provider.Choice{
			{Value: grantsCode, Title: provider.Text{EN: "A person authorizes in the browser", RU: "Человек авторизуется в браузере"}},
			{Value: grantsClient, Title: provider.Text{EN: "Client credentials: no person is needed", RU: "Учётные данные приложения: человек не нужен"}},
			{Value: grantsBoth, Title: provider.Text{EN: "Both", RU: "Оба способа"}},
			{Value: grantsDevice, Title: provider.Text{EN: "A person enters a code on another device", RU: "Человек вводит код на другом устройстве"}},
			{Value: grantsPeople, Title: provider.Text{EN: "In the browser, or by a code on another device", RU: "В браузере или кодом на другом устройстве"}},
			{Value: grantsBearer, Title: provider.Text{EN: "Service account: a signed assertion (JWT bearer)", RU: "Сервисный аккаунт: подписанное утверждение (JWT bearer)"}},
		},
	},
	{
		Name:  optionClientAuth,
		Title: provider.Text{EN: "Client authentication", RU: "Проверка клиента"},
		Help: provider.Text{
			EN: "How the client secret is sent. Left empty: what discovery says, else HTTP Basic; without a client secret always none.",
			RU: "Как передаётся client_secret. Если пусто: как сообщил сервер, иначе HTTP Basic; без client_secret всегда none.",
		},
		Choices: []provider.Choice{
			{Value: string(oauth.AuthBasic), Title: provider.Text{EN: "HTTP Basic header (client_secret_basic)", RU: "Заголовок HTTP Basic (client_secret_basic)"}},
			{Value: string(oauth.AuthPost), Title: provider.Text{EN: "Fields of the form (client_secret_post)", RU: "Поля формы (client_secret_post)"}},
			{Value: string(oauth.AuthBasicRaw), Title: provider.Text{EN: "HTTP Basic header without percent-encoding", RU: "Заголовок HTTP Basic без процентного кодирования"}},
			{Value: string(oauth.AuthRawBase64), Title: provider.Text{EN: "Authorization header with base64 alone, without “Basic”", RU: "Заголовок Authorization только с base64, без слова Basic"}},
			{Value: string(oauth.AuthQuery), Title: provider.Text{EN: "Parameters of the token address", RU: "Параметры адреса токенов"}},
			{Value: string(oauth.AuthPrivateKeyJWT), Title: provider.Text{EN: "Assertion signed by a key of the hub (private_key_jwt)", RU: "Утверждение, подписанное ключом хаба (private_key_jwt)"}},
			{Value: string(oauth.AuthSecretJWT), Title: provider.Text{EN: "Assertion signed by the client secret (client_secret_jwt)", RU: "Утверждение, подписанное client_secret (client_secret_jwt)"}},
			{Value: string(oauth.AuthTLS), Title: provider.Text{EN: "Certificate of a certification authority (tls_client_auth)", RU: "Сертификат удостоверяющего центра (tls_client_auth)"}},
			{Value: string(oauth.AuthSelfSignedTLS), Title: provider.Text{EN: "Self-signed certificate (self_signed_tls_client_auth)", RU: "Самоподписанный сертификат (self_signed_tls_client_auth)"}},
			{Value: string(oauth.AuthNone), Title: provider.Text{EN: "None: a public client", RU: "Нет: публичный клиент (none)"}},
		},
	},
	{
		Name: optionPKCE, Default: string(provider.PKCERequired),
		Title: provider.Text{EN: "PKCE (RFC 7636)", RU: "PKCE (RFC 7636)"},
		Help: provider.Text{
			EN: "Protects the authorization code. Turn it off only if the service refuses requests with it.",
			RU: "Защищает код авторизации. Отключайте, только если сервис отвергает такие запросы.",
		},
		Choices: []provider.Choice{
			{Value: string(provider.PKCERequired), Title: provider.Text{EN: "Required", RU: "Обязательно"}},
			{Value: string(provider.PKCES256), Title: provider.Text{EN: "Sent; the service may ignore it", RU: "Передаётся; сервис может не учитывать"}},
			{Value: string(provider.PKCENone), Title: provider.Text{EN: "Off", RU: "Отключено"}},
		},
	},
	{
		Name: optionRenew, Default: renewRefresh,
		Title: provider.Text{EN: "Auto-renewal", RU: "Автопродление"},
		Help: provider.Text{
			EN: "Many services send a refresh token only for a scope such as offline_access.",
			RU: "Многие сервисы выдают refresh-токен только с правом вроде offline_access.",
		},
		Choices: []provider.Choice{
			{Value: renewRefresh, Title: provider.Text{EN: "By refresh token", RU: "По refresh-токену"}},
			{Value: renewNone, Title: provider.Text{EN: "None: a person authorizes again", RU: "Нет: человек авторизуется снова"}},
		},
	},
	{
		Name: optionWindow, Default: string(provider.RenewBeforeExpiry),
		Title: provider.Text{EN: "When the service renews", RU: "Когда сервис продлевает"},
		Help: provider.Text{
			EN: "Some services answer a renewal before the expiry with an error such as “token not expired”. Evergrant recognises such an answer and waits; with “only after the expiry” it does not ask too early at all.",
			RU: "Некоторые сервисы на продление до срока отвечают ошибкой вроде «token not expired». Evergrant узнаёт такой ответ и ждёт; с «только после срока» он и не спросит раньше времени.",
		},
		Choices: []provider.Choice{
			{Value: string(provider.RenewBeforeExpiry), Title: provider.Text{EN: "Before the expiry", RU: "До истечения срока"}},
			{Value: string(provider.RenewAfterExpiry), Title: provider.Text{EN: "Only after the expiry", RU: "Только после истечения срока"}},
			{Value: string(provider.RenewOnDemand), Title: provider.Text{EN: "When a process asks for an expired token", RU: "Когда процесс запрашивает истёкший токен"}},
		},
	},
	{
		Name: optionThrottles, Default: "unknown", Advanced: true,
		Title: provider.Text{EN: "Whose requests the service limits", RU: "Чьи запросы ограничивает сервис"},
		Help: provider.Text{
			EN: "What “too many requests” (429) means: by account it holds back that connection alone, by application all connections of the service. Unknown: that connection, and all of them after three in a row.",
			RU: "Что значит ответ «слишком много запросов» (429): по аккаунту — ждёт только это подключение, по приложению — все подключения сервиса. Если неизвестно: это подключение, а после трёх подряд — все.",
		},
		Choices: []provider.Choice{
			{Value: "unknown", Title: provider.Text{EN: "Not known", RU: "Неизвестно"}},
			{Value: string(provider.ThrottlesAccount), Title: provider.Text{EN: "Of an account", RU: "Аккаунта"}},
			{Value: string(provider.ThrottlesClient), Title: provider.Text{EN: "Of the application", RU: "Приложения"}},
		},
	},
	{
		Name: optionOneGrant, Type: provider.OptionBoolean, Advanced: true,
		Title: provider.Text{EN: "A new grant ends the account's earlier one", RU: "Новый доступ прекращает прежний доступ того же аккаунта"},
		Help: provider.Text{
			EN: "Tick it if the service keeps one grant of an account for this application. People are then warned before they authorize a second connection.",
			RU: "Отметьте, если сервис хранит один доступ аккаунта для этого приложения. Тогда людей предупредят перед авторизацией второго подключения.",
		},
	},
	{
		Name: optionRotation, Default: string(provider.RotationRotates),
		Replaces: &provider.Replaced{Option: "rotates", Values: map[string]string{
			"true": string(provider.RotationRotates), "false": string(provider.RotationNone),
		}},
		Title: provider.Text{EN: "What a renewal does to the old tokens", RU: "Что продление делает со старыми токенами"},
		Help: provider.Text{
			EN: "Decides what Evergrant does when the reply to a renewal is lost. If the refresh token is replaced, the same one is never sent twice: some services end the whole grant when a used one comes back, so the connection waits for a person instead. With a time of grace the lost renewal is repeated while the time lasts. If the refresh token stays, it is repeated at any time. When in doubt leave “replaced”; “stays” for a service that replaces it can end grants.",
			RU: "От этого зависит, что делает Evergrant, если ответ на продление потерян. Если refresh-токен заменяется, один и тот же дважды не отправляется: некоторые сервисы прекращают весь доступ, получив использованный, поэтому подключение ждёт человека. Если старый ещё какое-то время действует, потерянное продление повторяется, пока это время не вышло. Если refresh-токен остаётся прежним, оно повторяется в любое время. Если не уверены, оставьте «заменяется»: ошибочное «остаётся прежним» может стоить доступа.",
		},
		Choices: []provider.Choice{
			{Value: string(provider.RotationRotates), Title: provider.Text{EN: "The refresh token is replaced", RU: "Refresh-токен заменяется"}},
			{Value: string(provider.RotationRotatesRevokesAccess), Title: provider.Text{EN: "The refresh token is replaced, the old access token ends at once", RU: "Refresh-токен заменяется, старый access-токен сразу перестаёт действовать"}},
			{Value: string(provider.RotationRotatesWithGrace), Title: provider.Text{EN: "The refresh token is replaced, the old one is good for a while", RU: "Refresh-токен заменяется, старый ещё какое-то время действует"}},
			{Value: string(provider.RotationNone), Title: provider.Text{EN: "The refresh token stays", RU: "Refresh-токен остаётся прежним"}},
		},
	},
	{
		Name: optionGrace, Pattern: `[1-9][0-9]{0,5}[smh]`, Example: "30s",
		PatternHint: provider.Text{EN: "A number with s, m or h: 30s, 5m, 1h.", RU: "Число с буквой s, m или h: 30s — секунды, 5m — минуты, 1h — часы."},
		Title:       provider.Text{EN: "How long the replaced refresh token stays good", RU: "Сколько ещё действует заменённый refresh-токен"},
		Help: provider.Text{
			EN: "From the service's documentation, for example 30s or 5m; needed only if the old refresh token is good for a while. While it lasts a renewal whose reply was lost is simply repeated. Enter no more than the service promises.",
			RU: "Из документации сервиса, например 30s или 5m; нужно, только если старый refresh-токен ещё какое-то время действует. Пока это время не вышло, продление с потерянным ответом просто повторяется. Не указывайте больше, чем обещает сервис.",
		},
	},
	{
		Name: optionAPI, Format: "uri", Example: "https://api.example.com",
		Title: provider.Text{EN: "Address of the API", RU: "Адрес API"},
		Help: provider.Text{
			EN: "Shown to processes that use the token.",
			RU: "Показывается процессам, которые используют токен.",
		},
	},
	{
		Name: optionPrefix, Default: "Bearer", Advanced: true, Pattern: `[A-Za-z0-9._~+/\-]+`, Example: "Bearer",
		Title: provider.Text{EN: "Word before the token in the Authorization header", RU: "Слово перед токеном в заголовке Authorization"},
	},
	{
		Name: optionSeparator, Default: "space", Advanced: true,
		Title: provider.Text{EN: "Between scopes", RU: "Между правами (scope)"},
		Choices: []provider.Choice{
			{Value: "space", Title: provider.Text{EN: "Space, as RFC 6749 has it", RU: "Пробел, как в RFC 6749"}},
			{Value: "comma", Title: provider.Text{EN: "Comma", RU: "Запятая"}},
			{Value: "semicolon", Title: provider.Text{EN: "Semicolon", RU: "Точка с запятой"}},
			{Value: "plus", Title: provider.Text{EN: "Plus sign", RU: "Плюс"}},
		},
	},
	{
		Name: optionParams, Type: provider.OptionList, Advanced: true, Example: "audience=https://api.example.com",
		Title: provider.Text{EN: "More parameters of the authorization address", RU: "Дополнительные параметры адреса авторизации"},
		Help: provider.Text{
			EN: "name=value, one a line, for example audience=… or resource=…. Write a space as %20 and a comma as %2C.",
			RU: "имя=значение, по одному в строке, например audience=… или resource=…. Пробел пишите как %20, запятую как %2C.",
		},
	},
	{
		Name: optionTokenParams, Type: provider.OptionList, Advanced: true, Example: "audience=https://api.example.com",
		Title: provider.Text{EN: "More parameters of every token request", RU: "Дополнительные параметры каждого запроса токенов"},
		Help: provider.Text{
			EN: "name=value, one a line; they go to the token address with codes and refresh tokens.",
			RU: "имя=значение, по одному в строке; передаются на адрес токенов с кодами и refresh-токенами.",
		},
	},
	{
		Name: optionRefreshParams, Type: provider.OptionList, Advanced: true, Example: "redirect_uri=https://hub.example.com/callback/acme",
		Title: provider.Text{EN: "More parameters of renewals", RU: "Дополнительные параметры продления"},
		Help: provider.Text{
			EN: "name=value, one a line; for services that want more than the refresh token, for example redirect_uri or scope.",
			RU: "имя=значение, по одному в строке; для сервисов, которым мало refresh-токена, например redirect_uri или scope.",
		},
	},
	{
		Name: optionLoginHint, Default: hintAccount, Advanced: true,
		Title: provider.Text{EN: "Account suggested at the login page", RU: "Подсказка аккаунта на странице входа"},
		Help: provider.Text{
			EN: "At a new authorization the service is told which account is expected (login_hint). A fixed one is written into the further parameters of the authorization address.",
			RU: "При новой авторизации сервису сообщают, какой аккаунт ожидается (login_hint). Постоянное значение пишут в дополнительных параметрах адреса авторизации.",
		},
		Choices: []provider.Choice{
			{Value: hintAccount, Title: provider.Text{EN: "The account of the connection", RU: "Аккаунт подключения"}},
			{Value: hintNone, Title: provider.Text{EN: "None", RU: "Нет"}},
		},
	},
	{
		Name: optionAccountID, Default: "sub", Advanced: true, Pattern: fieldPath, Example: "sub",
		Title: provider.Text{EN: "Field of userinfo with the account's ID", RU: "Поле userinfo с ID аккаунта"},
		Help: provider.Text{
			EN: "It must never change: an authorization by another ID is refused. A field inside an object is written user.id.",
			RU: "Оно не должно меняться: авторизация с другим ID отклоняется. Поле внутри объекта пишется как user.id.",
		},
	},
	{
		Name: optionAccountName, Default: "email", Advanced: true, Pattern: fieldPath, Example: "email",
		Title: provider.Text{EN: "Field of userinfo with the account's name", RU: "Поле userinfo с именем аккаунта"},
	},
	{
		Name: optionExpiresIn, Type: provider.OptionInteger, Advanced: true, Maximum: 10 * 365 * 24 * 3600, Example: "3600",
		Title: provider.Text{EN: "Life of an access token, in seconds", RU: "Срок access-токена, в секундах"},
		Help: provider.Text{
			EN: "Counts only where the service's reply has no expires_in. 0: not known.",
			RU: "Учитывается, только если в ответе сервиса нет expires_in. 0: неизвестен.",
		},
	},
}, furtherOptions...)}
