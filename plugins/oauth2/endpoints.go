package main

import (
	"cmp"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// endpoints are where a service is. Their JSON is kept in Service.Data.
type endpoints struct {
	Issuer        string           `json:"issuer,omitempty"`
	Authorization string           `json:"authorization_endpoint,omitempty"`
	Token         string           `json:"token_endpoint,omitempty"`
	Revocation    string           `json:"revocation_endpoint,omitempty"`
	Userinfo      string           `json:"userinfo_endpoint,omitempty"`
	ClientAuth    oauth.ClientAuth `json:"client_auth,omitempty"`
}

// endpointsOf are the endpoints of a prepared service: those entered by hand,
// else those that were discovered.
func endpointsOf(svc provider.Service) (endpoints, error) {
	var e endpoints
	if len(svc.Data) > 0 {
		if err := json.Unmarshal(svc.Data, &e); err != nil {
			return e, provider.Errorf(provider.Blocked, "", "what was discovered for service %s cannot be read; save the service again: %w", svc.Name, err)
		}
	}
	return e.under(svc), nil
}

// under is e with what the administrator entered on top.
func (e endpoints) under(svc provider.Service) endpoints {
	e.Authorization = cmp.Or(svc.Option(optionAuthorization), e.Authorization)
	e.Token = cmp.Or(svc.Option(optionToken), e.Token)
	e.Revocation = cmp.Or(svc.Option(optionRevocation), e.Revocation)
	e.Userinfo = cmp.Or(svc.Option(optionUserinfo), e.Userinfo)
	e.ClientAuth = cmp.Or(oauth.ClientAuth(svc.Option(optionClientAuth)), e.ClientAuth, oauth.AuthBasic)
	if svc.ClientSecret == "" {
		e.ClientAuth = oauth.AuthNone
	}
	return e
}

// check refuses endpoints that no person or code can be sent to.
func (e endpoints) check(svc provider.Service) error {
	issuer := svc.Option(optionIssuer)
	switch {
	case issuer == "" && e.Authorization == "" && e.Token == "":
		return wrongOption(optionIssuer, "neither an issuer nor endpoints were entered", remedyNothing)
	case e.Authorization == "":
		return wrongOption(optionAuthorization, "the authorization endpoint is not known", remedyMissing)
	case e.Token == "":
		return wrongOption(optionToken, "the token endpoint is not known", remedyMissing)
	}
	for option, address := range map[string]string{
		optionAuthorization: e.Authorization, optionToken: e.Token, optionRevocation: e.Revocation, optionUserinfo: e.Userinfo,
	} {
		switch {
		case address == "" || hostOf(address) != "":
		case svc.Option(option) != "":
			return wrongOption(option, "the address cannot be used", remedyFragment)
		default:
			return wrongOption(optionIssuer, "the issuer's metadata name an endpoint that cannot be used", remedyAddress)
		}
	}
	return nil
}

// hosts are the concrete hosts of a service. client_secret goes to the token and
// the revocation endpoint and nowhere else.
func (e endpoints) hosts() []provider.Host {
	var hosts []provider.Host
	add := func(address string, secret bool) {
		pattern := hostOf(address)
		if pattern == "" {
			return
		}
		for i := range hosts {
			if hosts[i].Pattern == pattern {
				hosts[i].ClientSecret = hosts[i].ClientSecret || secret
				return
			}
		}
		hosts = append(hosts, provider.Host{Pattern: pattern, ClientSecret: secret})
	}
	add(e.Authorization, false)
	add(e.Token, true)
	add(e.Revocation, true)
	add(e.Userinfo, false)
	return hosts
}

// hostOf is the pattern for the host of an address; "" if it is no address that
// a request or a browser can be sent to.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || strings.Contains(u.Host, "*") {
		return ""
	}
	switch u.Scheme {
	case "https":
		return u.Host
	case "http":
		return "http://" + u.Host
	}
	return ""
}
