package main

import (
	"context"
	_ "embed"
	"slices"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

//go:embed icon.svg
var icon []byte

// prolongMargin is how long before expiry a token is prolonged: long enough for
// people to call Taxcom if the method, whose shape is a guess, refuses. The hub
// takes at most half of a token's life.
const prolongMargin = 3 * 24 * time.Hour

// Describe implements provider.Provider.
func (taxcomKassa) Describe(context.Context) (*provider.Description, error) {
	return &provider.Description{
		Name:  "taxcom-kassa",
		Title: provider.Text{EN: "Taxcom-Kassa", RU: "Такском-Касса"},
		Summary: provider.Text{
			EN: "Cash registers, shifts and receipts of an account at Taxcom, an operator of fiscal data.",
			RU: "Кассы, смены и чеки личного кабинета Такском-Касса (оператор фискальных данных).",
		},
		Icon:             icon,
		DocumentationURL: "https://lk-ofd.taxcom.ru/ApiHelp/",
		SetupSteps:       setupSteps,
		Notices:          notices,
		AutoRenew:        provider.AutoRenewNone,
		PKCE:             provider.PKCENone,
		ClientAuth:       []provider.ClientAuth{{Grant: provider.GrantAuthorizationCode, Method: string(oauth.AuthBasicRaw)}},
		Hosts: []provider.Host{
			{Pattern: "*" + domain, ClientSecret: true},
			{Pattern: provider.OptionHost(optionAuthorizeBase)},
			{Pattern: provider.OptionHost(optionTokenBase), ClientSecret: true},
			{Pattern: provider.OptionHost(optionProlongURL)},
		},
		Options: options,
		Scopes: []provider.Scope{{
			Name: onlyScope, Default: true, Title: provider.Text{EN: "The API of the account", RU: "API личного кабинета"},
		}},
		ScopesFixed: true,
		API:         provider.API{In: "header", Name: "Session-Token"},
	}, nil
}

// PrepareService implements provider.ServicePreparer. It makes no request.
func (p taxcomKassa) PrepareService(ctx context.Context, req *provider.PrepareServiceRequest) (*provider.PreparedService, error) {
	d, err := p.Describe(ctx)
	if err != nil {
		return nil, err
	}
	e, err := endpointsOf(req.Service)
	if err != nil {
		return nil, err
	}
	d.Grants = provider.GrantsOf(p)
	d.Hosts = []provider.Host{{Pattern: pattern(e.authorize)}, {Pattern: pattern(e.token), ClientSecret: true}}
	d.ClientAuth[0].Method = string(clientAuthOf(req.Service))
	d.Lifetimes.AccessToken = agreedLife(req.Service)
	d.StateNotEchoed = req.Service.Option(optionStateEcho) == no
	d.API.BaseURL = apiBase(e.token)
	if req.Service.Option(optionAPIPlacement) == tokenInBearer {
		d.API.Name, d.API.Prefix = "Authorization", "Bearer "
	}
	if e.prolong == "" {
		d.Notices = slices.Concat([]provider.Text{noRenewal}, d.Notices)
		return &provider.PreparedService{Description: d}, nil
	}
	d.Hosts = append(d.Hosts, provider.Host{Pattern: pattern(e.prolong)})
	d.AutoRenew = provider.AutoRenewProlong
	// Whether the old token outlives the new one is not known: take it that it does not.
	d.Rotation = provider.Rotation{Kind: provider.RotationRotatesRevokesAccess}
	d.RenewWindow = provider.RenewWindow{Kind: provider.RenewBeforeExpiry, Margin: prolongMargin}
	d.ClientAuth = append(d.ClientAuth, provider.ClientAuth{Grant: provider.GrantRefresh, Method: string(oauth.AuthNone)})
	d.Notices = slices.Concat([]provider.Text{guessedProlongation}, d.Notices)
	return &provider.PreparedService{Description: d}, nil
}

var (
	noRenewal = provider.Text{
		EN: "There is no auto-renewal: Taxcom gives no refresh token, and no prolongation address was entered. Somebody has to authorize again before the date that is shown.",
		RU: "Автопродления нет: Такском не выдаёт refresh-токен, а адрес продления не указан. До показанной даты нужно авторизоваться заново.",
	}
	guessedProlongation = provider.Text{
		EN: "Taxcom's prolongation method is not public, so the advanced options say how it is called: method, place of the token, parameters, fields of the reply. A reply without a token prolongs the same one. Rehearse it: after the first authorization press “Renew now” on the connection's page while somebody can still ask Taxcom. By itself the hub first calls it three days before expiry.",
		RU: "Метод продления Такском не опубликован, поэтому как он вызывается, задают дополнительные параметры: метод, место токена, параметры, поля ответа. Ответ без токена продлевает прежний. Проверьте продление заранее: после первой авторизации нажмите «Продлить сейчас» на странице подключения, пока можно обратиться в Такском. Сам хаб впервые вызовет его за три дня до истечения.",
	}
)

var notices = []provider.Text{
	{
		EN: "What Taxcom's page leaves open is an option of this form, with the value that is usual for IdentityServer3. If Check says that the service refuses, ask Taxcom which values apply.",
		RU: "О чём страница Такском умалчивает, вынесено в параметры этой формы; значения — обычные для IdentityServer3. Если при проверке сервис отказывает, уточните их в Такском.",
	},
	{
		EN: "The life of a token is agreed when the client is registered. The date that is shown is read from expires_in, whose unit is not certain; the API's answer 401 with code 2109 is what counts.",
		RU: "Срок жизни токена оговаривают при регистрации клиента. Показанная дата вычислена из expires_in, единица которого точно не известна; решающим остаётся ответ API 401 с кодом 2109.",
	},
	{
		EN: "The API is taken to be on the token server, under /API/v2. Taxcom also has the hosts api-lk-ofd.taxcom.ru and, for tests, api-tlk-ofd.taxcom.ru; ask which of them takes this token.",
		RU: "Считается, что API находится на сервере токенов, по пути /API/v2. У Такском есть и хосты api-lk-ofd.taxcom.ru и тестовый api-tlk-ofd.taxcom.ru; уточните, какой из них принимает этот токен.",
	},
}

var setupSteps = []provider.Text{
	{
		EN: "Write to Taxcom's developers through the support of your account (lk-ofd.taxcom.ru) and ask them to register an OAuth client with the authorization code flow and the scope api.",
		RU: "Напишите разработчикам Такском через поддержку личного кабинета (lk-ofd.taxcom.ru) и попросите зарегистрировать OAuth-клиента: вход по коду авторизации, область api.",
	},
	{
		EN: "Give them this redirect URI, which has to be registered letter by letter: {redirect_uri}",
		RU: "Передайте им адрес возврата, он должен быть зарегистрирован буква в букву: {redirect_uri}",
	},
	{
		EN: "Ask for the client ID, the secret, the server's name, how long tokens live and in which unit expires_in is, and for the method that prolongs a token: its address and where it expects the token.",
		RU: "Запросите идентификатор клиента, секрет, имя сервера, срок жизни токена и единицу expires_in, а также метод продления токена: его адрес и где он ждёт токен.",
	},
	{
		EN: "Enter the answers here. Leave the prolongation address empty if they name none.",
		RU: "Введите ответы здесь. Если метод продления не назовут, оставьте адрес продления пустым.",
	},
}
