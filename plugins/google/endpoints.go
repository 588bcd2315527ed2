package main

import (
	"net/url"
	"strings"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Google's own addresses.
const (
	issuer      = "https://accounts.google.com"
	authURL     = "https://accounts.google.com/o/oauth2/v2/auth"
	tokenURL    = "https://oauth2.googleapis.com/token"
	revokeURL   = "https://oauth2.googleapis.com/revoke"
	userinfoURL = "https://openidconnect.googleapis.com/v1/userinfo"
	apiURL      = "https://www.googleapis.com/calendar/v3"
)

// hosts are where those addresses are. Userinfo is no place for a client secret.
var hosts = []provider.Host{
	{Pattern: "accounts.google.com"},
	{Pattern: "oauth2.googleapis.com", ClientSecret: true},
	{Pattern: "openidconnect.googleapis.com"},
	{Pattern: "www.googleapis.com"},
	{Pattern: provider.OptionHost(optionBase), ClientSecret: true},
}

// endpoints are Google's, or those behind the gateway of the service.
func endpoints(svc provider.Service) (oauth.Endpoints, error) {
	base, err := gateway(svc)
	if err != nil || base == "" {
		return oauth.Endpoints{}, err // empty: those of the Config
	}
	return oauth.Endpoints{
		AuthURL: base + "/o/oauth2/v2/auth", TokenURL: base + "/token",
		RevokeURL: base + "/revoke", UserinfoURL: base + "/v1/userinfo",
	}, nil
}

// gateway is the base address that replaces all of Google's hosts, without a final slash;
// "" without one.
func gateway(svc provider.Service) (string, error) {
	base := strings.TrimRight(svc.Option(optionBase), "/")
	u, err := url.Parse(base)
	if err == nil && u.RawQuery == "" && u.Fragment == "" && (base == "" || u.Host != "") {
		return base, nil
	}
	return "", &provider.Error{
		Kind: provider.Blocked, Option: optionBase, Message: "the address of the gateway is no base address",
		Remedy: provider.Text{
			EN: "Enter the address without ? and #, for example https://google.example.com.",
			RU: "Введите адрес без ? и #, например https://google.example.com.",
		},
	}
}
