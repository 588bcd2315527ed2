package main

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// prolongRequest is the request that the options describe.
func prolongRequest(e endpoints, req *provider.RefreshRequest) (oauth.TokenRequest, error) {
	out := oauth.TokenRequest{
		Endpoint: e.prolong, Auth: oauth.AuthNone, Now: req.Now, Header: http.Header{},
		Method: cmp.Or(req.Service.Option(optionProlongMethod), http.MethodPost),
	}
	var err error
	if out.Form, err = prolongParams(req.Service); err != nil {
		return out, err
	}
	place := req.Service.Option(optionProlongTokenIn)
	switch place {
	case inParameter:
		out.Form.Set(cmp.Or(req.Service.Option(optionProlongTokenName), "access_token"), req.Current.AccessToken)
		return out, nil
	case inBearer, inSession:
	default:
		place = inHeaders
	}
	if place != inSession {
		out.Header.Set("Authorization", "Bearer "+req.Current.AccessToken)
	}
	if place != inBearer {
		out.Header.Set("Session-Token", req.Current.AccessToken)
	}
	return out, nil
}

// prolongParams are the parameters that were entered.
func prolongParams(svc provider.Service) (url.Values, error) {
	text := strings.TrimSpace(cmp.Or(svc.Option(optionProlongParams), "client_id="+clientIDPlace))
	if text == "-" {
		return url.Values{}, nil
	}
	params, err := url.ParseQuery(text)
	if err != nil {
		return nil, &provider.Error{
			Kind: provider.Blocked, Option: optionProlongParams, Message: "the parameters of the prolongation cannot be read",
			Remedy: provider.Text{
				EN: "Write them as in an address, name=value joined by &, with special characters as %XX.",
				RU: "Запишите их как в адресе: имя=значение через &, особые символы — как %XX.",
			},
		}
	}
	for _, values := range params {
		for i, v := range values {
			values[i] = strings.ReplaceAll(v, clientIDPlace, svc.ClientID)
		}
	}
	return params, nil
}

// nameFields gives the fields of a prolongation's reply the names of RFC 6749.
func nameFields(reply *oauth.Reply, svc provider.Service) {
	for standard, option := range map[string]string{"access_token": optionProlongToken, "expires_in": optionProlongExpires} {
		name := cmp.Or(svc.Option(option), standard)
		if name == standard {
			continue
		}
		value, ok := fieldAt(reply.Fields, name)
		if delete(reply.Fields, standard); ok {
			reply.Fields[standard] = value
		}
	}
}

// fieldAt is the value at a path such as result.token.
func fieldAt(fields map[string]any, path string) (any, bool) {
	first, rest, deeper := strings.Cut(path, ".")
	value, ok := fields[first]
	if !ok || !deeper {
		return value, ok
	}
	inner, isObject := value.(map[string]any)
	if !isObject {
		return nil, false
	}
	return fieldAt(inner, rest)
}

// agreedLife is the lifetime that was agreed at registration; zero if none was entered.
func agreedLife(svc provider.Service) time.Duration {
	text := svc.Option(optionAgreedLife)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text[:len(text)-1])
	if err != nil {
		return 0
	}
	unit := map[byte]time.Duration{'d': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute}[text[len(text)-1]]
	return time.Duration(n) * unit
}

// asAgreed gives a token the agreed lifetime, if there is one.
func asAgreed(token *provider.Token, svc provider.Service) *provider.Token {
	if life := agreedLife(svc); life > 0 {
		token.ExpiresIn = &life
	}
	return token
}
