package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest"
)

// reply is what the vendor's server answers, in the shape that was seen of it.
const reply = `{"access_token":"{access}","expires":1770095046,"expires_in":3600,"scope":"app",` +
	`"domain":"oauth.bitrix24.tech","server_endpoint":"https://oauth.bitrix24.tech/rest/","status":"L",` +
	`"client_endpoint":"https://corezoid.bitrix24.ru/rest/","member_id":"e7e26a9d0b1f4c3d8a5f6071b2c3d4e5",` +
	`"user_id":1,"refresh_token":"{refresh}"}`

func TestConformance(t *testing.T) {
	for name, options := range map[string]map[string]any{
		"a cloud portal":    {optionPortal: "corezoid"},
		"a box, and GET":    {optionPortal: "http://b24-dev-80.local:8080", optionTokenMethod: tokenByGet},
		"an isolated box":   {optionPortal: "http://b24-dev-80.local", optionAuthServer: "http://oauth.local:8888/sso"},
		"a scheduled cloud": {optionPortal: "acme.bitrix24.com", optionRenewPolicy: policyAlwaysFresh},
	} {
		t.Run(name, func(t *testing.T) {
			providertest.Run(t, providertest.Config{
				Provider:   bitrix24{},
				Service:    provider.Service{Options: options},
				TokenReply: reply,
				Callback: url.Values{
					"server_domain": {"oauth.bitrix24.tech"}, "domain": {"corezoid.bitrix24.ru"},
					"member_id": {"e7e26a9d0b1f4c3d8a5f6071b2c3d4e5"}, "scope": {"crm,user"},
				},
				Current: provider.Token{Extra: map[string]any{
					"server_endpoint": "https://oauth.bitrix24.tech/rest/", "client_endpoint": "https://corezoid.bitrix24.ru/rest/",
					"member_id": "e7e26a9d0b1f4c3d8a5f6071b2c3d4e5", "user_id": 1,
					extraAuthServer: russianServer, extraPortal: "corezoid.bitrix24.ru",
				}},
				Replies: os.DirFS("testdata/replies"),
				Gaps: map[string]string{
					"cancellation": "Identify reads the token set and makes no request that could be given up; the others are below",
				},
			})
		})
	}
}

// leaves is a transport whose caller goes away in the middle of the request.
type leaves context.CancelFunc

func (l leaves) RoundTrip(req *http.Request) (*http.Response, error) {
	l()
	<-req.Context().Done()
	return nil, req.Context().Err()
}

func TestATokenRequestIsLeftWhenTheCallerLeaves(t *testing.T) {
	for name, run := range map[string]func(context.Context, provider.Call) error{
		"exchange": func(ctx context.Context, call provider.Call) error {
			_, err := bitrix24{}.Exchange(ctx, &provider.ExchangeRequest{Call: call, Code: "code-of-a-test"})
			return err
		},
		"refresh": func(ctx context.Context, call provider.Call) error {
			_, err := bitrix24{}.Refresh(ctx, &provider.RefreshRequest{Call: call, Current: provider.Token{RefreshToken: "refresh-of-a-test"}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			err := run(ctx, provider.Call{Service: service("acme"), HTTP: &http.Client{Transport: leaves(cancel)}})
			if !errors.Is(err, context.Canceled) || provider.KindOf(err) != provider.Transient {
				t.Errorf("got %v of kind %s", err, provider.KindOf(err))
			}
		})
	}
}

func TestAGrantWithoutARefreshTokenNeedsAPerson(t *testing.T) {
	_, err := bitrix24{}.Refresh(t.Context(), &provider.RefreshRequest{Call: provider.Call{Service: service("acme")}})
	if provider.KindOf(err) != provider.ReauthorizationRequired {
		t.Errorf("got %v", err)
	}
}

// service is one with a portal, and further options as name and value.
func service(portal string, more ...string) provider.Service {
	svc := provider.Service{Name: "crm", ClientID: "local.1", ClientSecret: "s3cret", Options: map[string]any{optionPortal: portal}}
	for i := 0; i+1 < len(more); i += 2 {
		svc.Options[more[i]] = more[i+1]
	}
	return svc
}
