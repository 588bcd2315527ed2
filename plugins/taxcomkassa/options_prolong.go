package main

import (
	"net/http"

	"github.com/evergrant/evergrant/sdk/provider"
)

// prolongOptions describe how the prolongation method is called, which Taxcom does not
// publish. The defaults are the simplest request.
var prolongOptions = []provider.Option{
	{
		Name: optionProlongMethod, Default: http.MethodPost, Advanced: true,
		Title:   provider.Text{EN: "Prolongation: HTTP method", RU: "Продление: метод HTTP"},
		Help:    provider.Text{EN: "GET sends the parameters in the address, the others in the form.", RU: "GET передаёт параметры в адресе, остальные — в теле запроса."},
		Choices: choicesAsTheyAre(http.MethodPost, http.MethodGet, http.MethodPut),
	},
	{
		Name: optionProlongTokenIn, Default: inHeaders, Advanced: true,
		Title: provider.Text{EN: "Prolongation: place of the token", RU: "Продление: место токена"},
		Help: provider.Text{
			EN: "Where the method expects the access token that is to be prolonged.",
			RU: "Где метод ждёт токен доступа, который надо продлить.",
		},
		Choices: []provider.Choice{
			{Value: inHeaders, Title: provider.Text{EN: "Both headers, Authorization and Session-Token", RU: "Оба заголовка, Authorization и Session-Token"}},
			{Value: inBearer, Title: provider.Text{EN: "Authorization: Bearer", RU: "Authorization: Bearer"}},
			{Value: inSession, Title: provider.Text{EN: "Session-Token", RU: "Session-Token"}},
			{Value: inParameter, Title: provider.Text{EN: "A parameter", RU: "Параметр запроса"}},
		},
	},
	{
		Name: optionProlongTokenName, Default: "access_token", Example: "marker", Advanced: true, Pattern: `^[A-Za-z0-9_.\-]{1,64}$`,
		OnlyIf:      &provider.OnlyIf{Option: optionProlongTokenIn, Values: []string{inParameter}},
		Title:       provider.Text{EN: "Prolongation: name of the token's parameter", RU: "Продление: имя параметра с токеном"},
		PatternHint: nameHint,
	},
	{
		Name: optionProlongParams, Default: "client_id=" + clientIDPlace, Example: "client_id={client_id}&scope=api", Advanced: true,
		Title: provider.Text{EN: "Prolongation: parameters", RU: "Продление: параметры"},
		Help: provider.Text{
			EN: "Written as in an address: name=value, joined by &. {client_id} stands for the client ID; the client secret is never sent there. A single - sends none.",
			RU: "Как в адресе: имя=значение через &. {client_id} заменяется идентификатором клиента; секрет туда не передаётся. Один знак - — без параметров.",
		},
	},
	{
		Name: optionProlongToken, Default: "access_token", Example: "result.token", Advanced: true, Pattern: `^[A-Za-z0-9_\-]{1,64}(\.[A-Za-z0-9_\-]{1,64}){0,3}$`,
		Title: provider.Text{EN: "Prolongation: field with the token", RU: "Продление: поле с токеном"},
		Help: provider.Text{
			EN: "The field of the reply that holds the new token; a.b is the field b in a. A reply without it prolongs the same token.",
			RU: "Поле ответа с новым токеном; a.b — поле b внутри a. Ответ без него продлевает прежний токен.",
		},
		PatternHint: nameHint,
	},
	{
		Name: optionProlongExpires, Default: "expires_in", Example: "result.ttl", Advanced: true, Pattern: `^[A-Za-z0-9_\-]{1,64}(\.[A-Za-z0-9_\-]{1,64}){0,3}$`,
		Title: provider.Text{EN: "Prolongation: field with the lifetime", RU: "Продление: поле со сроком"},
		Help: provider.Text{
			EN: "The field of the reply that says how long the token then lives, in the unit of expires_in.",
			RU: "Поле ответа, в котором сказано, сколько токен после этого живёт, в единицах expires_in.",
		},
		PatternHint: nameHint,
	},
}

var nameHint = provider.Text{EN: "A name of letters, digits, - and _.", RU: "Имя из букв, цифр, - и _."}

func choicesAsTheyAre(values ...string) (choices []provider.Choice) {
	for _, v := range values {
		choices = append(choices, provider.Choice{Value: v, Title: provider.Text{EN: v, RU: v}})
	}
	return choices
}
