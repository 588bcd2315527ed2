package main

import (
	"errors"
	"strings"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// The numbers of the vendor's API that are known.
const (
	apiBadCredentials = "2108"
	apiTokenUnknown   = "2109"
)

// exchangeCodes are codes beside those of the RFCs.
var exchangeCodes = map[string]provider.Kind{
	apiBadCredentials: provider.Blocked,
}

// prolongCodes are those of a request that an access token makes: without a living
// one nothing is prolonged, and only a person can get another.
var prolongCodes = map[string]provider.Kind{
	apiBadCredentials: provider.Blocked,
	apiTokenUnknown:   provider.ReauthorizationRequired,
	"invalid_token":   provider.ReauthorizationRequired,
}

var exchangeRemedies = map[string]provider.Text{
	"invalid_client":  wrongClient,
	apiBadCredentials: wrongClient,
	"invalid_grant":   spentCode,
	"invalid_scope":   notAllowed,
	"unauthorized_client": {
		EN: "Taxcom does not accept this client here. The redirect URI registered with Taxcom must equal this service's letter by letter, and the client must be allowed the authorization code flow.",
		RU: "Такском не принимает здесь этого клиента. Адрес возврата, зарегистрированный в Такском, должен совпадать с адресом этого сервиса буква в букву, а клиенту должен быть разрешён вход по коду авторизации.",
	},
	"unsupported_grant_type": notAllowed,
}

var prolongRemedies = map[string]provider.Text{
	apiTokenUnknown:   tokenGone,
	"invalid_token":   tokenGone,
	"expired_token":   tokenGone,
	"invalid_grant":   tokenGone,
	"invalid_client":  prolongRefused,
	apiBadCredentials: prolongRefused,
}

var (
	wrongClient = provider.Text{
		EN: "Compare the client ID and the secret with what Taxcom sent you. If both are right, Taxcom expects them in another form: try the other values of “Client authentication”.",
		RU: "Сверьте идентификатор клиента и секрет с тем, что прислал Такском. Если всё верно, Такском ждёт их в другом виде: попробуйте другие значения «Аутентификации клиента».",
	}
	spentCode = provider.Text{
		EN: "The authorization code had been used, had expired, or was made for another redirect URI. Start the authorization again.",
		RU: "Код авторизации уже использован, устарел или выдан для другого адреса возврата. Начните авторизацию заново.",
	}
	notAllowed = provider.Text{
		EN: "The registration at Taxcom does not allow this. Ask its developers for the authorization code flow with the scope api.",
		RU: "Регистрация в Такском этого не разрешает. Попросите разработчиков включить вход по коду авторизации с областью api.",
	}
	tokenGone = provider.Text{
		EN: "Taxcom no longer accepts the access token, so that it cannot be prolonged. Authorize again.",
		RU: "Такском больше не принимает токен доступа, поэтому продлить его нельзя. Авторизуйтесь снова.",
	}
	prolongRefused = provider.Text{
		EN: "The prolongation method refuses the request. Ask Taxcom how it is called, and compare the address in the service's options.",
		RU: "Метод продления отклоняет запрос. Уточните у Такском, как его вызывать, и сверьте адрес в параметрах сервиса.",
	}
)

// inWordsOfOAuth writes an error of the vendor's API, {"apiErrorCode": 2109, …}, as
// RFC 6749 does.
func inWordsOfOAuth(reply *oauth.Reply) {
	number := reply.Text("apiErrorCode")
	if number == "" || number == "0" || reply.Fields["error"] != nil {
		return
	}
	reply.Fields["error"] = number
	said := strings.TrimSpace(reply.Text("commonDescription") + " " + reply.Text("details"))
	reply.Fields["error_description"] = said
}

// explain adds to an error what a person can do about it. A refusal without a
// code is explained as one of the client.
func explain(err error, remedies map[string]provider.Text) error {
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || !e.Remedy.IsZero() || e.Kind == provider.Transient {
		return err
	}
	code := strings.ToLower(e.Code)
	if code == "" && e.Kind == provider.Blocked {
		code = "invalid_client"
	}
	e.Remedy = remedies[code]
	return err
}

// explainClient is explain for the token endpoint. A refused client may be one that is
// sent in another way, so the option for that is named.
func explainClient(err error) error {
	err = explain(err, exchangeRemedies)
	if e, ok := errors.AsType[*provider.Error](err); ok && e.Kind == provider.Blocked && e.Option == "" && e.Remedy == wrongClient {
		e.Option = optionClientAuth
	}
	return err
}
