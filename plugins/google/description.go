package main

import (
	_ "embed"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

//go:embed icon.svg
var icon []byte

// description is the provider's own; PrepareService fits it to a service.
var description = provider.Description{
	Name:  "google-calendar",
	Title: provider.Text{EN: "Google Calendar", RU: "Google Календарь"},
	Summary: provider.Text{
		EN: "Calendars and events of a Google account. Beside the scopes you choose, the account's e-mail is asked for; an option turns that off.",
		RU: "Календари и события аккаунта Google. Кроме выбранных прав запрашивается адрес почты аккаунта; это можно отключить.",
	},
	Icon:             icon,
	DocumentationURL: "https://developers.google.com/identity/protocols/oauth2/web-server",
	SetupSteps:       setupSteps,
	Notices: []provider.Text{
		{
			EN: "Google keeps at most 100 live refresh tokens for an account and a client; the oldest one then ends without a word. Use another client where more connections of one account are needed.",
			RU: "Google хранит не более 100 действующих refresh-токенов на аккаунт и клиент; затем самый старый молча перестаёт работать. Если одному аккаунту нужно больше подключений, заведите ещё один клиент.",
		},
		{
			EN: "Where Google tells beforehand when a time-limited grant ends, the date is shown at the connection.",
			RU: "Если Google заранее сообщает срок ограниченного доступа, он будет показан в подключении.",
		},
	},
	Lifetimes: provider.Lifetimes{
		AccessToken: time.Hour, RefreshToken: provider.Never, RefreshTokenIdle: 180 * 24 * time.Hour,
	},
	AutoRenew:   provider.AutoRenewRefreshToken,
	Rotation:    provider.Rotation{Kind: provider.RotationNone, RepeatSafe: true},
	RenewWindow: provider.RenewWindow{Kind: provider.RenewBeforeExpiry},
	PKCE:        provider.PKCES256,
	Issuer:      issuer,
	Hosts:       hosts,
	Options:     options,
	Scopes:      catalogue,
	API:         provider.API{BaseURL: apiURL, In: "header", Name: "Authorization", Prefix: "Bearer "},
	TestCalls:   testCalls(apiURL),
}

// testCalls list the account's calendars, at an address of the API.
func testCalls(api string) []provider.TestCall {
	return []provider.TestCall{{
		Name: "calendar-list", URL: api + "/users/me/calendarList?maxResults=10",
		Title: provider.Text{EN: "The list of calendars", RU: "Список календарей"},
		Shows: provider.Text{
			EN: "The calendars of the account. The scopes for events alone do not allow it: Google then answers 403.",
			RU: "Календари аккаунта. Прав только на события для этого мало: тогда Google отвечает 403.",
		},
	}}
}

var setupSteps = []provider.Text{
	{
		EN: "Open console.cloud.google.com, choose or create a project, and enable the Google Calendar API under APIs & Services → Library.",
		RU: "Откройте console.cloud.google.com, выберите или создайте проект и включите Google Calendar API в разделе APIs & Services → Library.",
	},
	{
		EN: "Under Google Auth Platform fill in Branding. Under Audience choose Internal for a Workspace of your own, else External, and publish the app: while it is in Testing, only the test users listed there can authorize, for 7 days each time.",
		RU: "В разделе Google Auth Platform заполните Branding. В Audience выберите Internal для собственного Workspace, иначе External, и опубликуйте приложение: пока оно в режиме Testing, авторизоваться могут только перечисленные там тестовые пользователи, каждый раз на 7 дней.",
	},
	{
		EN: "Under Data access add the scopes that you tick below.",
		RU: "В Data access добавьте права, которые отметите ниже.",
	},
	{
		EN: "Under Clients create a client of the type Web application with the authorized redirect URI {redirect_uri}. Google takes https:// only, and http:// for localhost.",
		RU: "В Clients создайте клиент типа Web application с адресом возврата (Authorized redirect URI) {redirect_uri}. Google принимает только https://, а http:// лишь для localhost.",
	},
	{
		EN: "Copy the client ID and the client secret here. Google shows the secret only once.",
		RU: "Скопируйте сюда Client ID и Client secret. Секрет Google показывает только один раз.",
	},
	{
		EN: "If Google shows an error instead of its consent page: redirect_uri_mismatch — the address of step 4 is not registered letter by letter; access_denied — the account is not a test user of an app in testing; org_internal — the app is internal and the account is of another organisation; admin_policy_enforced — the Workspace administrator has to allow the client under Security → API controls.",
		RU: "Если вместо страницы согласия Google показывает ошибку: redirect_uri_mismatch — адрес из шага 4 зарегистрирован не буква в букву; access_denied — аккаунт не входит в тестовые пользователи приложения в режиме тестирования; org_internal — приложение внутреннее, а аккаунт из другой организации; admin_policy_enforced — администратор Workspace должен разрешить клиент в Security → API controls.",
	},
}
