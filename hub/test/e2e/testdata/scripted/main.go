// Command scripted serves a provider whose every word would be a script if a page
// took it for more than text. It is for tests alone and asks nobody for anything.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// script breaks out of text, of attributes and of scripts.
const script = `"'></script><script>owned('%s')</script><img src=x onerror=owned('%s')>`

func say(where string) provider.Text {
	s := fmt.Sprintf(script, where, where)
	return provider.Text{EN: s, RU: s}
}

type scripted struct{}

func (scripted) Describe(context.Context) (*provider.Description, error) {
	fmt.Fprintln(os.Stderr, say("stderr").EN)
	return &provider.Description{
		Name: "scripted", Title: say("title"), Summary: say("summary"),
		SetupSteps: []provider.Text{say("step")}, Notices: []provider.Text{say("notice")},
		AutoRenew: provider.AutoRenewRefreshToken, PKCE: provider.PKCENone,
		Hosts:  []provider.Host{{Pattern: "service.example", ClientSecret: true}},
		Scopes: []provider.Scope{{Name: `read"><script>owned('scope')</script>`, Title: say("scope title"), Default: true}},
		Options: provider.Schema{Options: []provider.Option{
			{Name: "place", Title: say("option"), Help: say("help"), Example: say("example").EN},
			{Name: "kind", Title: say("choices"), Choices: []provider.Choice{{Value: "a", Title: say("choice")}}, PatternHint: say("hint")},
		}},
	}, nil
}

func (scripted) AuthCodeURL(_ context.Context, req *provider.AuthCodeURLRequest) (*provider.AuthCodeURL, error) {
	return &provider.AuthCodeURL{URL: "https://service.example/authorize?state=" + req.State + `&x="><script>owned('address')</script>`}, nil
}

// Exchange gives tokens for one code and a wordy refusal for every other.
func (scripted) Exchange(_ context.Context, req *provider.ExchangeRequest) (*provider.Token, error) {
	if req.Code == "good" {
		return &provider.Token{AccessToken: say("token").EN, RefreshToken: "r", TokenType: say("token type").EN, Scopes: []string{say("granted").EN}}, nil
	}
	return nil, refused("exchange")
}

func (scripted) Refresh(context.Context, *provider.RefreshRequest) (*provider.Token, error) {
	return nil, refused("refresh")
}

func (scripted) Revoke(context.Context, *provider.RevokeRequest) error { return refused("revoke") }

func (scripted) Identify(context.Context, *provider.IdentifyRequest) (*provider.Account, error) {
	return &provider.Account{ID: say("account id").EN, Name: say("account").EN}, nil
}

func refused(where string) error {
	return &provider.Error{Kind: provider.Blocked, Code: say(where + " code").EN, Message: say(where + " message").EN, Remedy: say(where + " remedy")}
}

func main() { providerplugin.Serve(scripted{}) }
