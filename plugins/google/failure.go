package main

import (
	"errors"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// codes are Google's own error codes, beside those of the RFCs.
var codes = map[string]provider.Kind{
	"admin_policy_enforced": provider.Blocked,
	"org_internal":          provider.Blocked,
	"deleted_client":        provider.Blocked,
	"disabled_client":       provider.Blocked,
	"restricted_client":     provider.Blocked,
	"rate_limit_exceeded":   provider.Transient,
	"internal_failure":      provider.Transient,
}

// remedies are the remedies by error code or by error_subtype.
var remedies = map[string]provider.Text{
	"redirect_uri_mismatch": {
		EN: "In the Google Cloud console, under Google Auth Platform → Clients, add the redirect URI of this service letter by letter, then start again.",
		RU: "В Google Cloud Console, Google Auth Platform → Clients, добавьте адрес возврата этого сервиса буква в букву и начните снова.",
	},
	"invalid_client": {
		EN: "Google does not know this client ID, or the client secret is not its own. Copy both again from Google Auth Platform → Clients; a lost secret is replaced there by a new one.",
		RU: "Google не знает этот Client ID, или Client secret не от него. Скопируйте оба заново из Google Auth Platform → Clients; утерянный секрет там заменяют новым.",
	},
	"deleted_client": {
		EN: "The client was deleted in the Google Cloud console. Restore it within 30 days, or create another one and enter it here.",
		RU: "Клиент удалён в Google Cloud Console. Восстановите его в течение 30 дней или создайте новый и укажите его здесь.",
	},
	"unauthorized_client": {
		EN: "The client may not do this. It must be of the type Web application, and its project must be active.",
		RU: "Клиенту это не разрешено. Он должен быть типа Web application, а его проект — действующим.",
	},
	"access_denied": {
		EN: "Access was not granted. If Google says that the app is being tested, add the account under Google Auth Platform → Audience → Test users, or publish the app.",
		RU: "Доступ не предоставлен. Если Google пишет, что приложение тестируется, добавьте аккаунт в Google Auth Platform → Audience → Test users или опубликуйте приложение.",
	},
	"admin_policy_enforced": {
		EN: "A policy of the Google Workspace forbids these scopes. Its administrator has to allow the client under Security → API controls → App access control.",
		RU: "Эти права запрещены политикой Google Workspace. Администратор должен разрешить клиент в Security → API controls → App access control.",
	},
	"org_internal": {
		EN: "The app is internal to another organisation. Choose an account of that organisation, or make the app External under Google Auth Platform → Audience.",
		RU: "Приложение внутреннее для другой организации. Выберите аккаунт этой организации или сделайте приложение внешним (External) в Google Auth Platform → Audience.",
	},
	"invalid_rapt": {
		EN: "The session control of the Google Workspace ended the grant. Authorize again; so that it lasts, its administrator marks the client as trusted and exempts trusted apps under Security → Google Cloud session control.",
		RU: "Доступ прекращён политикой сеансов Google Workspace. Авторизуйтесь снова; чтобы доступ не прерывался, администратор отмечает клиент доверенным и освобождает доверенные приложения в Security → Google Cloud session control.",
	},
}

// ofExchange is the remedy of invalid_grant for a code.
var ofExchange = provider.Text{
	EN: "The authorization code had been used or had expired. Start the authorization again.",
	RU: "Код авторизации уже использован или устарел. Начните авторизацию заново.",
}

// ofRefresh is the remedy of invalid_grant for a refresh token. Google does not report
// which of its reasons applies.
func ofRefresh(svc provider.Service) provider.Text {
	if svc.Option(optionPublishing) == inTesting {
		return provider.Text{
			EN: "Google no longer accepts the grant: an app in testing holds it for 7 days only. Authorize again, and publish the app so that it lasts.",
			RU: "Google больше не принимает этот доступ: у приложения в режиме тестирования он живёт лишь 7 дней. Авторизуйтесь снова и опубликуйте приложение, чтобы доступ не прерывался.",
		}
	}
	return provider.Text{
		EN: "Google no longer accepts the grant: it was withdrawn in the account, was unused for six months, ended with a changed password, gave way to a hundred newer ones, or the app is still in testing (7 days). Authorize again.",
		RU: "Google больше не принимает этот доступ: его отозвали в аккаунте, им не пользовались полгода, сменили пароль, его вытеснили сто более новых, или приложение ещё в режиме тестирования (7 дней). Авторизуйтесь снова.",
	}
}

// explain adds to an error what a person can do about it.
func explain(err error, subtype string, invalidGrant provider.Text) error {
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || !e.Remedy.IsZero() {
		return err
	}
	code := strings.ToLower(e.Code)
	if remedy, ok := remedies[strings.ToLower(subtype)]; ok && code == "invalid_grant" {
		e.Remedy = remedy
	} else if code == "invalid_grant" {
		e.Remedy = invalidGrant
	} else {
		e.Remedy = remedies[code]
	}
	return err
}
