package main

import (
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// scopePrefix begins the names of the scopes of Google's APIs.
const scopePrefix = "https://www.googleapis.com/auth/"

// signIn are the scopes by which userinfo identifies the account. Google grants them
// without a checkbox and without a review of the app.
var signIn = []string{"openid", scopePrefix + "userinfo.email"}

// renamed are scopes that Google returns by another name than they may be requested by.
var renamed = []struct{ short, full string }{
	{"email", scopePrefix + "userinfo.email"},
	{"profile", scopePrefix + "userinfo.profile"},
}

// identifies reports whether one of the scopes opens userinfo.
func identifies(scopes []string) bool {
	return slices.ContainsFunc(scopes, func(s string) bool {
		return slices.Contains([]string{"openid", "email", "profile"}, s) || strings.HasPrefix(s, scopePrefix+"userinfo.")
	})
}

// asked are the scopes of the authorization request: those that the administrator chose
// and, unless disabled, those of signing in.
func asked(svc provider.Service) []string {
	scopes := slices.Clone(svc.Scopes)
	if !svc.Bool(optionAccount) {
		return scopes
	}
	for _, s := range signIn {
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	return scopes
}

// asAsked adds to the granted scopes the short names by which they were requested, so
// that the hub finds each granted one. Scopes that the reply does not name are not added.
func asAsked(granted []string, svc provider.Service) []string {
	for _, name := range renamed {
		if slices.Contains(svc.Scopes, name.short) && slices.Contains(granted, name.full) && !slices.Contains(granted, name.short) {
			granted = append(granted, name.short)
		}
	}
	return granted
}

// catalogue is what an administrator can tick.
var catalogue = []provider.Scope{
	{
		Name: scopePrefix + "calendar", Default: true,
		Title: provider.Text{EN: "Calendars: everything (see, change, share, delete)", RU: "Календари: всё (просмотр, изменение, доступ, удаление)"},
	},
	{
		Name:  scopePrefix + "calendar.readonly",
		Title: provider.Text{EN: "Calendars and events: see", RU: "Календари и события: просмотр"},
	},
	{
		Name:  scopePrefix + "calendar.events",
		Title: provider.Text{EN: "Events in all calendars: see and change", RU: "События всех календарей: просмотр и изменение"},
	},
	{
		Name:  scopePrefix + "calendar.events.readonly",
		Title: provider.Text{EN: "Events in all calendars: see", RU: "События всех календарей: просмотр"},
	},
	{
		Name:  scopePrefix + "calendar.events.owned",
		Title: provider.Text{EN: "Events in the account's own calendars: see and change", RU: "События собственных календарей: просмотр и изменение"},
	},
	{
		Name:  scopePrefix + "calendar.freebusy",
		Title: provider.Text{EN: "Free and busy times: see", RU: "Занятость: просмотр"},
	},
	{
		Name:  scopePrefix + "calendar.calendarlist",
		Title: provider.Text{EN: "List of calendars: see and change", RU: "Список календарей: просмотр и изменение"},
	},
	{
		Name:  scopePrefix + "calendar.calendarlist.readonly",
		Title: provider.Text{EN: "List of calendars: see", RU: "Список календарей: просмотр"},
	},
	{
		Name:  scopePrefix + "calendar.calendars",
		Title: provider.Text{EN: "Properties of calendars: see and change; create calendars", RU: "Свойства календарей: просмотр и изменение; создание календарей"},
	},
	{
		Name:  scopePrefix + "calendar.calendars.readonly",
		Title: provider.Text{EN: "Properties of calendars: see", RU: "Свойства календарей: просмотр"},
	},
	{
		Name:  scopePrefix + "calendar.acls",
		Title: provider.Text{EN: "Sharing of the account's own calendars: see and change", RU: "Доступ к собственным календарям: просмотр и изменение"},
	},
	{
		Name:  scopePrefix + "calendar.acls.readonly",
		Title: provider.Text{EN: "Sharing of the account's own calendars: see", RU: "Доступ к собственным календарям: просмотр"},
	},
	{
		Name:  scopePrefix + "calendar.settings.readonly",
		Title: provider.Text{EN: "Calendar settings: see", RU: "Настройки календаря: просмотр"},
	},
	{
		Name:  scopePrefix + "calendar.app.created",
		Title: provider.Text{EN: "Only calendars that this app creates", RU: "Только календари, созданные этим приложением"},
	},
	{
		Name:  "openid",
		Title: provider.Text{EN: "Number of the account (asked for anyway, see the option)", RU: "Номер аккаунта (запрашивается и так, см. параметр)"},
	},
	{
		Name:  scopePrefix + "userinfo.email",
		Title: provider.Text{EN: "E-mail of the account (asked for anyway, see the option)", RU: "Адрес почты аккаунта (запрашивается и так, см. параметр)"},
	},
	{
		Name:  scopePrefix + "userinfo.profile",
		Title: provider.Text{EN: "Name and picture of the account", RU: "Имя и фотография аккаунта"},
	},
}
