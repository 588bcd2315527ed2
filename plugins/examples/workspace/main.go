// Evergrant-provider-workspace is the worked plugin in Go of a service whose authorization
// yields two grants: a bot's and a person's. Build it and hand it in as any other; it is not
// shipped.
//
// The walk: Exchange sends the code once. The reply has the bot's token set, and in
// authed_user the person's, which becomes the part "user". The hub keeps each as a
// connection of its own; Refresh renews the one whose refresh token it is given, by the
// same request for both.
package main

import (
	"context"
	"net/url"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

func main() { providerplugin.Serve(newWorkspace()) }

// partUser is the person's token set beside the bot's.
const partUser = "user"

// workspace does what the RFCs say, but for the reply to a code.
type workspace struct{ standard }

type standard interface {
	provider.Provider
	provider.AuthorizationCodeGrant
	provider.Refresher
	provider.Identifier
}

func newWorkspace() workspace {
	p, _ := oauth.New(oauth.Config{
		Description: provider.Description{
			Name: "workspace", Title: provider.Text{EN: "Workspace", RU: "Рабочее пространство"},
			Summary: provider.Text{EN: "A bot's and a person's access by one authorization.", RU: "Доступ бота и человека по одной авторизации."},
			SetupSteps: []provider.Text{{
				EN: "Register {redirect_uri} at the workspace as a redirect URI.", RU: "Укажите {redirect_uri} в рабочем пространстве как адрес возврата.",
			}},
			Hosts: []provider.Host{{Pattern: provider.OptionHost("server"), ClientSecret: true}},
			Options: provider.Schema{Options: []provider.Option{{
				Name: "server", Format: "uri", Required: true, Example: "https://workspace.example", Title: provider.Text{EN: "Server", RU: "Сервер"},
			}}},
			Rotation: provider.Rotation{Kind: provider.RotationRotates},
			Parts:    []provider.Part{{Name: partUser, Title: provider.Text{EN: "user", RU: "пользователь"}}},
		},
		Auth: oauth.AuthPost, Account: oauth.Account{ID: []string{"id"}, Name: []string{"name"}},
		Grants: []provider.Grant{provider.GrantIdentify},
		Resolve: func(svc provider.Service) (oauth.Endpoints, error) {
			server := svc.Option("server")
			return oauth.Endpoints{AuthURL: server + "/authorize", TokenURL: server + "/token", UserinfoURL: server + "/whoami"}, nil
		},
	}).(standard) // New returns all of them, and Serves tells which are configured
	return workspace{p}
}

// Describe implements provider.Provider.
func (w workspace) Describe(ctx context.Context) (*provider.Description, error) {
	return w.standard.Describe(ctx)
}

// Exchange implements provider.AuthorizationCodeGrant.
func (workspace) Exchange(ctx context.Context, req *provider.ExchangeRequest) (*provider.Token, error) {
	reply, err := oauth.Do(ctx, req.HTTP, oauth.TokenRequest{
		Endpoint: req.Service.Option("server") + "/token", Auth: oauth.AuthPost, ClientID: req.Service.ClientID, ClientSecret: req.Service.ClientSecret, Now: req.Now,
		Form: url.Values{"grant_type": {"authorization_code"}, "code": {req.Code}, "redirect_uri": {req.RedirectURI}},
	})
	if err != nil {
		return nil, err
	}
	person, _ := reply.Fields["authed_user"].(map[string]any)
	delete(reply.Fields, "authed_user") // what is left becomes Extra, which the bot's processes see
	if err := reply.Err(nil); err == nil && reply.Text("access_token") == "" && person["access_token"] != nil {
		return nil, provider.Errorf(provider.Blocked, "no_bot", "the service gave a person's token alone; ask for a scope of the bot as well")
	}
	token, err := reply.Token(oauth.Decode{})
	if err != nil || person["access_token"] == nil {
		return token, err
	}
	part := *reply
	part.Fields = person
	of, err := part.Token(oauth.Decode{})
	if err != nil {
		return nil, err
	}
	token.Parts = []provider.PartToken{{Part: partUser, Token: *of}}
	return token, nil
}
