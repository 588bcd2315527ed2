package main

import (
	"context"
	_ "embed"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

//go:embed icon.svg
var icon []byte

// Describe implements provider.Provider.
func (bitrix24) Describe(context.Context) (*provider.Description, error) {
	return &provider.Description{
		Name:  "bitrix24",
		Title: provider.Text{EN: "Bitrix24", RU: "Битрикс24"},
		Summary: provider.Text{
			EN: "CRM, tasks and the rest of a Bitrix24 portal, in the cloud or on your own server.",
			RU: "CRM, задачи и всё остальное на портале Битрикс24, в облаке или на своём сервере.",
		},
		Icon:             icon,
		DocumentationURL: "https://apidocs.bitrix24.com/settings/oauth/index.html",
		SetupSteps:       setupSteps,
		Notices:          notices,
		Lifetimes:        provider.Lifetimes{AccessToken: time.Hour, RefreshToken: 180 * day, AuthorizationCode: 30 * time.Second},
		AutoRenew:        provider.AutoRenewRefreshToken,
		Rotation:         provider.Rotation{Kind: provider.RotationRotatesRevokesAccess},
		RenewWindow:      onDemand,
		PKCE:             provider.PKCENone,
		ClientAuth:       clientAuth(oauth.AuthPost),
		Hosts: []provider.Host{
			{Pattern: provider.OptionHost(optionPortal)},
			{Pattern: provider.OptionHost(optionAuthServer), ClientSecret: true},
			{Pattern: pattern(worldServer), ClientSecret: true},
			{Pattern: pattern(russianServer), ClientSecret: true},
		},
		Options:        options,
		ScopeSeparator: ",",
		ScopesFixed:    true,
		// The parameter is documented and works with every box. Portals take a
		// Bearer header as well, but only by their source.
		API:       provider.API{BaseURL: "{extra:client_endpoint}", In: "query", Name: "auth"},
		TestCalls: testCalls,
	}, nil
}

// PrepareService implements provider.ServicePreparer. It makes no request.
func (p bitrix24) PrepareService(ctx context.Context, req *provider.PrepareServiceRequest) (*provider.PreparedService, error) {
	d, err := p.Describe(ctx)
	if err != nil {
		return nil, err
	}
	portal, err := portalOf(req.Service)
	if err != nil {
		return nil, err
	}
	server, err := ownServer(req.Service)
	if err != nil {
		return nil, err
	}
	servers := vendorServers
	if server != "" {
		servers = []string{server}
	}
	d.Hosts = []provider.Host{{Pattern: pattern(portal)}}
	for _, s := range servers {
		d.Hosts = append(d.Hosts, provider.Host{Pattern: pattern(s), ClientSecret: true})
	}
	d.Grants = provider.GrantsOf(p)
	d.RenewWindow = windowOf(req.Service)
	if req.Service.Option(optionTokenMethod) == tokenByGet {
		d.ClientAuth = clientAuth(oauth.AuthQuery)
	}
	d.Notices = slices.Concat(d.Notices, noticesOf(req.Service, portal))
	return &provider.PreparedService{Description: d}, nil
}

func clientAuth(method oauth.ClientAuth) []provider.ClientAuth {
	return []provider.ClientAuth{
		{Grant: provider.GrantAuthorizationCode, Method: string(method)},
		{Grant: provider.GrantRefresh, Method: string(method)},
	}
}

// noticesOf are the notices that only some services need.
func noticesOf(svc provider.Service, portal string) []provider.Text {
	var more []provider.Text
	if windowOf(svc).Every > 0 {
		more = append(more, provider.Text{
			EN: "This service is renewed on a schedule. The vendor's documentation forbids that and says that the application may be blocked automatically; where the threshold is, is not said.",
			RU: "Этот сервис продлевается по расписанию. Документация Битрикс24 это запрещает и предупреждает об автоматической блокировке приложения; при какой частоте, не сказано.",
		})
	}
	if strings.HasPrefix(portal, "http://") {
		more = append(more, provider.Text{
			EN: "This portal is reached without TLS: authorization codes and access tokens cross the network in clear. Give it a certificate if you can.",
			RU: "Этот портал доступен без TLS: коды авторизации и токены доступа идут по сети открыто. По возможности установите на нём сертификат.",
		})
	}
	return more
}

// testCalls show who has authorized and what the application may do. client_endpoint
// comes with every token set and ends with a slash.
var testCalls = []provider.TestCall{
	{
		Name: "app.info", URL: "{extra:client_endpoint}app.info",
		Title: provider.Text{EN: "The application: app.info", RU: "Приложение: app.info"},
		Shows: provider.Text{
			EN: "Whether the portal knows the application and whether it is installed and paid for. Every application may ask this.",
			RU: "Знает ли портал приложение, установлено ли оно и оплачено ли. Спросить об этом может любое приложение.",
		},
	},
	{
		Name: "user.current", URL: "{extra:client_endpoint}user.current",
		Title: provider.Text{EN: "Who has authorized: user.current", RU: "Кто авторизовал: user.current"},
		Shows: provider.Text{
			EN: "The user on whose behalf the token works. The application needs the user permission for it; without, the portal answers insufficient_scope.",
			RU: "Пользователь, от имени которого работает токен. Приложению нужно право «Пользователи» (user); без него портал отвечает insufficient_scope.",
		},
	},
}

var notices = []provider.Text{
	{
		EN: "When something is wrong at the consent page, the portal says so there and tells nobody else. The authorization then stays open here until it times out.",
		RU: "Если на странице согласия что-то не так, портал показывает ошибку там же и никому её не передаёт. Авторизация здесь останется незавершённой, пока не истечёт срок.",
	},
	{
		EN: "How long a refresh token lives is documented as 180 days; older portals were seen to give 28 or 30. An unused grant is therefore renewed every 20 days.",
		RU: "По документации refresh-токен живёт 180 дней; на старых порталах встречались 28 и 30. Поэтому неиспользуемый доступ продлевается раз в 20 дней.",
	},
	{
		EN: "There is no way to revoke a grant from here. It ends when the application is removed at the portal.",
		RU: "Отозвать доступ отсюда нельзя: он прекращается, когда приложение удаляют на портале.",
	},
}

var setupSteps = []provider.Text{
	{
		EN: "Log in to the portal as an administrator and open Applications → Developer resources → Other → Local application.",
		RU: "Войдите на портал администратором и откройте «Приложения» → «Разработчикам» → «Другое» → «Локальное приложение».",
	},
	{
		EN: "Choose Server, enter {redirect_uri} as the path of your handler, tick “Uses only API”, and grant the permissions that your processes need.",
		RU: "Выберите «Серверное», в поле «Путь вашего обработчика» введите {redirect_uri}, отметьте «Использует только API» и в «Настройке прав» дайте права, нужные вашим процессам.",
	},
	{
		EN: "Save, and copy the application ID (client_id) and the application key (client_secret) into the form here.",
		RU: "Сохраните и перенесите сюда «Код приложения» (client_id) и «Ключ приложения» (client_secret).",
	},
}
