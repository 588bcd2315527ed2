package main

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

const (
	domain        = ".taxcom.ru"
	core          = "/core"
	authorizePath = "/connect/authorize"
	tokenPath     = "/connect/token"
	apiPath       = "/API/v2"
)

// endpoints are the addresses of a service. Prolong is empty if none is known.
type endpoints struct{ authorize, token, prolong string }

var serverName = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*$`)

// endpointsOf finds the addresses in the options of a service: those that were
// entered in full, the others from the server's name.
func endpointsOf(svc provider.Service) (endpoints, error) {
	var e endpoints
	server, named := serverOf(svc.Option(optionServer))
	authorizeBase, tokenBase := svc.Option(optionAuthorizeBase), svc.Option(optionTokenBase)
	switch {
	case svc.Option(optionServer) != "" && !named:
		return e, wrongServer("the server's name cannot be read")
	case !named && (authorizeBase == "" || tokenBase == ""):
		return e, wrongServer("the server is not known")
	}
	if authorizeBase == "" {
		authorizeBase = "https://auth-" + server + domain
	}
	if tokenBase == "" {
		tokenBase = "https://" + server + domain
	}
	var err error
	if e.authorize, err = endpoint(optionAuthorizeBase, authorizeBase, authorizePath); err != nil {
		return e, err
	}
	if e.token, err = endpoint(optionTokenBase, tokenBase, tokenPath); err != nil {
		return e, err
	}
	e.prolong = svc.Option(optionProlongURL)
	return e, nil
}

// serverOf reads the name in "lk-ofd", in a host of either kind, and in an address
// that was copied from a browser.
func serverOf(entered string) (name string, ok bool) {
	host := strings.ToLower(strings.TrimSpace(entered))
	if _, after, found := strings.Cut(host, "://"); found {
		host = after
	}
	host, _, _ = strings.Cut(host, "/")
	if whole, found := strings.CutSuffix(host, domain); found {
		host = strings.TrimPrefix(whole, "auth-")
	} else if strings.Contains(host, ".") {
		return "", false
	}
	return host, serverName.MatchString(host)
}

// endpoint completes a base address. One that is complete already stays as it is.
func endpoint(option, base, path string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(base))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "", &provider.Error{
			Kind: provider.Blocked, Option: option, Message: "the address cannot be read",
			Remedy: provider.Text{
				EN: "Enter the address without ? and #, for example https://lk-ofd.taxcom.ru.",
				RU: "Введите адрес без ? и #, например https://lk-ofd.taxcom.ru.",
			},
		}
	}
	origin := u.Scheme + "://" + strings.ToLower(u.Host)
	given := strings.TrimRight(u.EscapedPath(), "/")
	if strings.HasSuffix(given, path) {
		return origin + given, nil
	}
	return origin + strings.TrimSuffix(given, core) + core + path, nil
}

func wrongServer(message string) error {
	return &provider.Error{
		Kind: provider.Blocked, Option: optionServer, Message: message,
		Remedy: provider.Text{
			EN: "Enter the server's name that Taxcom told you, for example lk-ofd; for a server outside taxcom.ru enter both full addresses under the advanced options.",
			RU: "Введите имя сервера, которое вам сообщил Такском, например lk-ofd; для сервера вне taxcom.ru укажите оба полных адреса в дополнительных параметрах.",
		},
	}
}

// pattern is how a description names the host of an address.
func pattern(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return ""
	case u.Scheme == "http":
		return "http://" + u.Host
	}
	return u.Host
}

// apiBase is the API on the host of the token endpoint.
func apiBase(tokenEndpoint string) string {
	u, err := url.Parse(tokenEndpoint)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + apiPath
}
