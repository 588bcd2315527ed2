// Command careless is a provider plugin of an ordinary service that breaks one promise
// of the contract, by the option fault; without it, none.
package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// refuses, set by the linker, keeps it from starting.
var refuses string

func main() {
	if refuses != "" {
		fmt.Fprintln(os.Stderr, "panic: "+refuses)
		os.Exit(3)
	}
	providerplugin.Serve(careless{ordinary})
}

type served interface {
	provider.Provider
	provider.AuthorizationCodeGrant
	provider.Refresher
}

type careless struct{ served }

var ordinary = oauth.New(oauth.Config{
	Description: provider.Description{
		Name: "careless", Title: provider.Text{EN: "Careless", RU: "Careless"}, Summary: provider.Text{EN: "A service.", RU: "Сервис."},
		SetupSteps: []provider.Text{{EN: "Register {redirect_uri}.", RU: "Укажите {redirect_uri}."}},
		AutoRenew:  provider.AutoRenewRefreshToken, Rotation: provider.Rotation{Kind: provider.RotationRotates}, PKCE: provider.PKCES256,
		Hosts: []provider.Host{{Pattern: "careless.example", ClientSecret: true}},
		API:   provider.API{In: "header", Name: "Authorization", Prefix: "Bearer "},
		Options: provider.Schema{Options: []provider.Option{{
			Name: "fault", Title: provider.Text{EN: "Fault", RU: "Ошибка"},
		}}},
	},
	AuthURL: "https://careless.example/authorize", TokenURL: "https://careless.example/token", Auth: oauth.AuthBasic,
}).(served)

// Refresh is that of the ordinary service with a fault.
func (c careless) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	token, err := c.served.Refresh(ctx, req)
	secret := req.Service.ClientSecret
	fault := req.Service.Option("fault")
	switch fault {
	case "print":
		fmt.Fprintln(os.Stderr, "refreshing with", secret)
	case "print-base64":
		fmt.Fprintln(os.Stderr, "header", base64.StdEncoding.EncodeToString([]byte(req.Service.ClientID+":"+secret)))
	case "print-in-two-writes":
		_, _ = os.Stderr.WriteString("refreshing with " + secret[:5])
		time.Sleep(20 * time.Millisecond)
		_, _ = os.Stderr.WriteString(secret[5:] + "\n")
	}
	if token == nil {
		return token, err
	}
	switch fault {
	case "multiply":
		*token.ExpiresIn *= 1000
	case "drop":
		token.ExpiresIn = nil
	case "extra":
		token.Extra = map[string]any{"page": strings.Repeat("x", 900<<10)}
	}
	return token, err
}
