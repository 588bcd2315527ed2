package main

import (
	"errors"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// wrongLogin is what a person does about a refused login.
var wrongLogin = provider.Text{
	EN: "The service does not accept the login. Check name and password by logging in at the service itself, then enter them here.",
	RU: "Сервис не принимает логин и пароль. Проверьте их, войдя в сам сервис, и введите здесь.",
}

// tokenOf reads the session of a reply, whose name is the service's own. A reply without one
// gives none, whatever else is in it.
func tokenOf(reply *oauth.Reply, field string, codes map[string]provider.Kind) (*provider.Token, error) {
	if session, ok := reply.Fields[field].(string); ok && field != "access_token" {
		reply.Fields["access_token"] = session
		delete(reply.Fields, field)
	}
	token, err := reply.Token(oauth.Decode{Codes: codes})
	if e, ok := errors.AsType[*provider.Error](err); ok && e.Kind == provider.ReauthorizationRequired {
		e.Remedy = wrongLogin
	}
	return token, err
}
