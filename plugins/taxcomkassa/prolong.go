package main

import (
	"context"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Refresh implements provider.Refresher: it prolongs the access token by itself.
// The method is not public, so the request is what the options say, and by default the
// simplest that can mean it: POST with client_id in the form, and with the token in both
// headers in which the vendor's services may look for it. The client secret does not go out.
func (taxcomKassa) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	e, err := endpointsOf(req.Service)
	if err != nil {
		return nil, err
	}
	if e.prolong == "" {
		return nil, &provider.Error{
			Kind: provider.Blocked, Option: optionProlongURL, Message: "no address of the prolongation method is known",
			Remedy: provider.Text{
				EN: "Enter the prolongation address in the service's options if Taxcom told you one; otherwise a person authorizes again before the token expires.",
				RU: "Укажите адрес продления в параметрах сервиса, если Такском его сообщил; иначе до истечения токена нужно авторизоваться заново.",
			},
		}
	}
	out, err := prolongRequest(e, req)
	if err != nil {
		return nil, err
	}
	reply, err := oauth.Do(ctx, req.HTTP, out)
	if err != nil {
		return nil, err
	}
	inWordsOfOAuth(reply)
	nameFields(reply, req.Service)
	token, err := prolonged(reply, req)
	if err != nil {
		return nil, explain(err, prolongRemedies)
	}
	return token, nil
}

// prolonged reads a token reply. One without access_token, but with a lifetime from now,
// extends the same token.
func prolonged(reply *oauth.Reply, req *provider.RefreshRequest) (*provider.Token, error) {
	decode := oauth.Decode{ExpiresInUnit: unitOf(req.Service), Codes: prolongCodes}
	_, fresh := reply.Fields["access_token"]
	same := !fresh && reply.Fields["error"] == nil && (reply.Text("expires_in") != "" || agreedLife(req.Service) > 0 && reply.Status < 300)
	if same {
		reply.Fields["access_token"] = req.Current.AccessToken
	}
	token, err := reply.Token(decode)
	if err != nil {
		return nil, err
	}
	asAgreed(token, req.Service)
	if same && (token.ExpiresIn == nil || *token.ExpiresIn <= 0) {
		return nil, &provider.Error{
			Kind: provider.Internal, HTTPStatus: reply.Status,
			Message: "the prolongation method answered without a new token and without more time for the old one",
		}
	}
	if token.TokenType == "" {
		token.TokenType = req.Current.TokenType
	}
	return token, nil
}
