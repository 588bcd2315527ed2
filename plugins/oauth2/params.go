package main

import (
	"net/url"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// ownParams are what the hub or sdk/oauth sets; nobody else may.
var ownParams = []string{
	"client_id", "client_secret", "code_challenge", "code_challenge_method", "login_hint", "nonce",
	"redirect_uri", "request", "request_uri", "response_mode", "response_type", "scope", "state",
}

// authorizeParams are the further parameters of the authorization request.
func authorizeParams(svc provider.Service) (url.Values, error) {
	params := url.Values{}
	for _, pair := range pairs(svc) {
		name, escaped, found := strings.Cut(pair, "=")
		value, err := url.PathUnescape(escaped) // keeps a plus sign
		if !found || err != nil || name == "" || slices.Contains(ownParams, strings.ToLower(name)) {
			return nil, wrongOption(optionParams, "a further parameter of the authorization address cannot be used", remedyParams)
		}
		params.Add(name, value)
	}
	return params, nil
}

// pairs reads the option's list, which comes as []any from JSON.
func pairs(svc provider.Service) []string {
	switch list := svc.Options[optionParams].(type) {
	case []string:
		return list
	case []any:
		var texts []string
		for _, item := range list {
			text, _ := item.(string)
			texts = append(texts, text)
		}
		return texts
	}
	return nil
}
