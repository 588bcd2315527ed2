package main

import (
	"net/url"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// ownParams are set by the hub or sdk/oauth in each kind of request; options must not.
var ownParams = map[string][]string{
	optionParams: {
		"client_id", "client_secret", "code_challenge", "code_challenge_method", "nonce",
		"redirect_uri", "request", "request_uri", "response_type", "scope", "state",
	},
	optionTokenParams:   {"client_id", "client_secret", "code", "code_verifier", "grant_type", "redirect_uri", "refresh_token"},
	optionRefreshParams: {"client_id", "client_secret", "grant_type", "refresh_token"},
}

// furtherParams are the further parameters of one kind of request.
func furtherParams(svc provider.Service, option string) (url.Values, error) {
	params := url.Values{}
	for _, pair := range pairs(svc, option) {
		name, escaped, found := strings.Cut(pair, "=")
		value, err := url.PathUnescape(escaped) // keeps a plus sign
		bad := !found || err != nil || name == "" || slices.Contains(ownParams[option], strings.ToLower(name))
		// A fragment never reaches the hub.
		if bad || strings.EqualFold(name, "response_mode") && value != "query" && value != "form_post" {
			return nil, wrongOption(option, "a further parameter cannot be used", remedyParams)
		}
		params.Add(name, value)
	}
	return params, nil
}

// authorizeParams are the further parameters of the authorization request.
func authorizeParams(svc provider.Service) (url.Values, error) {
	return furtherParams(svc, optionParams)
}

// pairs reads an option's list, which comes as []any from JSON.
func pairs(svc provider.Service, option string) []string {
	switch list := svc.Options[option].(type) {
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
