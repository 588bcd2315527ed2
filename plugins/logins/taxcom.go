package main

import (
	"context"
	_ "embed"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

//go:embed icon.svg
var icon []byte

// The options of taxcom-login.
const (
	optionServer     = "server"
	optionIntegrator = "integrator_id"
	// optionAgreement is one of each connection.
	optionAgreement = "agreement_number"
)

// taxcomLogin is the session login of Taxcom-Kassa's API v2.
type taxcomLogin struct{}

// taxcomCodes are the numbers of the vendor's API that are known: 2108 is a wrong login,
// password or agreement number, 2109 a session that is over, which no login has.
var taxcomCodes = map[string]provider.Kind{
	"2108": provider.ReauthorizationRequired,
	"2109": provider.Transient,
}

// Describe implements provider.Provider.
func (taxcomLogin) Describe(context.Context) (*provider.Description, error) {
	return &provider.Description{
		Name: "taxcom-login", Title: provider.Text{EN: "Taxcom-Kassa, by login", RU: "Такском-Касса, по логину"},
		Summary: provider.Text{
			EN: "The session of Taxcom-Kassa's API: the hub logs in when a process needs one.",
			RU: "Сессия API Такском-Кассы: хаб входит, когда она нужна процессу.",
		},
		Icon: icon, PublicClient: true, PKCE: provider.PKCENone, AutoRenew: provider.AutoRenewReissue,
		Lifetimes:   provider.Lifetimes{AccessToken: 5 * time.Minute},
		RenewWindow: provider.RenewWindow{Kind: provider.RenewOnDemand},
		Notices: []provider.Text{{
			EN: "A session lives for 5 minutes from its last use. Whether a login in that time returns the same session or a new one is not confirmed.",
			RU: "Сессия живёт 5 минут с последнего обращения. Возвращает ли вход в это время ту же сессию или новую, не подтверждено.",
		}},
		SetupSteps: []provider.Text{{
			EN: "Get an Integrator-ID from Taxcom's developers and enter it here.", RU: "Получите Integrator-ID у разработчиков Такском и укажите его здесь.",
		}},
		Hosts: []provider.Host{{Pattern: "*.taxcom.ru"}, {Pattern: provider.OptionHost(optionServer)}},
		Options: provider.Schema{Options: []provider.Option{
			{
				Name: optionServer, Format: "uri", Default: "https://api-lk-ofd.taxcom.ru", Example: "https://api-lk-ofd.taxcom.ru",
				Title: provider.Text{EN: "Server of the API", RU: "Сервер API"},
				Help:  provider.Text{EN: "https://api-tlk-ofd.taxcom.ru is the one for tests.", RU: "https://api-tlk-ofd.taxcom.ru — тестовый."},
			},
			{Name: optionIntegrator, Required: true, Secret: true, Title: provider.Text{EN: "Integrator-ID", RU: "Integrator-ID"}},
		}},
		Login: provider.Schema{Options: []provider.Option{
			{Name: "login", Required: true, Example: "ivanov@example.com", Title: provider.Text{EN: "Login", RU: "Логин"}},
			{Name: "password", Required: true, Secret: true, Title: provider.Text{EN: "Password", RU: "Пароль"}},
		}},
		ConnectionOptions: provider.Schema{Options: []provider.Option{{
			Name: optionAgreement, Example: "1234567", Title: provider.Text{EN: "Agreement number", RU: "Номер договора"},
			Help: provider.Text{EN: "Which agreement the session is for, if the login has several.", RU: "Для какого договора сессия, если у логина их несколько."},
		}}},
		API: provider.API{BaseURL: "{option:" + optionServer + "}", Name: "Session-Token"},
	}, nil
}

// Login implements provider.LoginGrant.
func (taxcomLogin) Login(ctx context.Context, req *provider.LoginRequest) (*provider.Token, error) {
	form := url.Values{"login": {req.Fields.Text("login")}, "password": {req.Fields.Text("password")}}
	if number := strings.TrimSpace(req.Connection.Option(optionAgreement)); number != "" {
		form.Set("agreementNumber", number)
	}
	reply, err := oauth.Do(ctx, req.HTTP, oauth.TokenRequest{
		Endpoint: strings.TrimSuffix(req.Service.Option(optionServer), "/") + "/API/v2/Login", JSON: true, Form: form, Auth: oauth.AuthNone,
		ClientSecret: req.Service.Option(optionIntegrator), // is kept out of errors; the header has it
		Header:       http.Header{"Integrator-ID": {req.Service.Option(optionIntegrator)}}, Now: req.Now,
	})
	if err != nil {
		return nil, err
	}
	inWordsOfOAuth(reply)
	return tokenOf(reply, "sessionToken", taxcomCodes)
}

// inWordsOfOAuth writes an error of the vendor's API, {"apiErrorCode": 2108, …}, as RFC 6749
// does.
func inWordsOfOAuth(reply *oauth.Reply) {
	number := reply.Text("apiErrorCode")
	if number == "" || number == "0" || reply.Fields["error"] != nil {
		return
	}
	reply.Fields["error"] = number
	reply.Fields["error_description"] = strings.TrimSpace(reply.Text("commonDescription") + " " + reply.Text("details"))
}
