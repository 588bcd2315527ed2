package main

import (
	"net/url"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// The vendor's authorization servers. The portal's redirect and each token reply name the
// one that serves a portal.
const (
	worldServer   = "https://oauth.bitrix.info"
	russianServer = "https://oauth.bitrix24.tech"
)

var vendorServers = []string{worldServer, russianServer}

// extraAuthServer is the extra field of a token set that names the server which
// issued it.
const extraAuthServer = "auth_server"

// serverOfCallback is where a code is exchanged: the administrator's server, else
// the one that the redirect names, else the one of the portal's region. A name
// that is not the vendor's is refused rather than passed over, because the code
// is at a server that client_secret must not be sent to.
func serverOfCallback(svc provider.Service, callback url.Values) (string, error) {
	if own, err := ownServer(svc); own != "" || err != nil {
		return own, err
	}
	named := callback.Get("server_domain")
	if named == "" {
		return regionServer(svc)
	}
	if server, ok := vendorServer(named); ok {
		return server, nil
	}
	return "", &provider.Error{
		Kind: provider.Blocked, Option: optionAuthServer,
		Message: "the portal sent an authorization code of a server that is not the vendor's; nothing was sent there",
		Remedy: provider.Text{
			EN: "If your portal has an authorization server of its own, enter its address in the service's options. If you know of none, do not go on: somebody may be after the client secret.",
			RU: "Если у вашего портала собственный сервер авторизации, укажите его адрес в параметрах сервиса. Если вы о таком не знаете, не продолжайте: кто-то может охотиться за секретным ключом.",
		},
	}
}

// serverOfToken is where a token set is renewed: the administrator's server, else
// the one that the last reply names, else the one that it came from. A server of
// neither the vendor nor the administrator is passed over: asking a wrong one
// could end a good grant, and the one that issued the tokens is known.
func serverOfToken(svc provider.Service, current provider.Token) (string, error) {
	if own, err := ownServer(svc); own != "" || err != nil {
		return own, err
	}
	for _, field := range []string{"server_endpoint", extraAuthServer} {
		if server, ok := vendorServer(current.Text(field)); ok {
			return server, nil
		}
	}
	return regionServer(svc)
}

// ownServer is the one that an administrator entered, without a final slash; ""
// if the choice is left to the portal.
func ownServer(svc provider.Service) (string, error) {
	entered := strings.TrimSpace(svc.Option(optionAuthServer))
	if entered == "" {
		return "", nil
	}
	if server, ok := vendorServer(entered); ok {
		return server, nil
	}
	u, ok := address(entered)
	if !ok || u.RawQuery != "" || u.Fragment != "" {
		return "", &provider.Error{
			Kind: provider.Blocked, Option: optionAuthServer, Message: "the authorization server's address cannot be read",
			Remedy: provider.Text{
				EN: "Enter the server's address without ? and #, for example https://oauth.example.com, or leave the field empty.",
				RU: "Введите адрес сервера без ? и #, например https://oauth.example.com, или оставьте поле пустым.",
			},
		}
	}
	path := strings.TrimSuffix(strings.TrimRight(u.EscapedPath(), "/"), "/oauth/token")
	return u.Scheme + "://" + u.Host + strings.TrimRight(path, "/"), nil
}

// vendorServer finds the vendor's server that a host or an address names. What it
// returns is ours, never the text that was given.
func vendorServer(named string) (string, bool) {
	u, ok := address(named)
	if !ok || u.Port() != "" {
		return "", false
	}
	server := "https://" + u.Host
	return server, slices.Contains(vendorServers, server)
}

// regionServer guesses for a code that was pasted without its address. The vendor
// documents one server to Russian readers and the other to all others, which is
// also what a new box is set to.
func regionServer(svc provider.Service) (string, error) {
	portal, err := portalOf(svc)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(portal)
	if err != nil {
		return "", err
	}
	for _, zone := range []string{".ru", ".by", ".kz", ".su", ".xn--p1ai"} {
		if strings.HasSuffix(u.Hostname(), zone) {
			return russianServer, nil
		}
	}
	return worldServer, nil
}
