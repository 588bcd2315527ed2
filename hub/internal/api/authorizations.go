package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/authflow"
)

// BrowserCookie begins the name of the cookie that binds an authorization to the browser
// that started it. Each has a name of its own, so that any number can be awaited there.
const BrowserCookie = "evergrant_browser"

// Authorization is an authorization that waits for its callback.
type Authorization struct {
	AuthorizeURL string    `json:"authorize_url" doc:"Where to send the person's browser"`
	ExpiresAt    time.Time `json:"expires_at"`
	// BrowserCookie must be in the browser that comes back to the callback.
	BrowserCookie Cookie `json:"browser_cookie" doc:"The callback is accepted only from a browser with this cookie for the hub; without it paste the address landed on"`
}

// Cookie is a cookie to be set for the hub's address.
type Cookie struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// PastedBody is what a person landed on.
type PastedBody struct {
	Pasted string `json:"pasted" doc:"The address that the browser landed on after granting, or the code alone" maxLength:"8192"`
}

func (a *API) registerAuthorizations() {
	start := operation("authorize-connection", http.MethodPost, "/api/v1/connections/{name}/authorizations",
		"Start an authorization", "Connections", 404, 502, 503)
	start.Description = "For tools that drive a browser themselves; people use the button in the web hub."
	start.DefaultStatus = http.StatusCreated
	huma.Register(a.huma, start, func(ctx context.Context, in *NameInput) (*one[Authorization], error) {
		browser := authflow.NewBrowser()
		started, err := a.grants.Start(ctx, in.Name, grants.Way{Browser: browser, ReturnTo: "/connections/" + in.Name})
		if err != nil {
			return nil, a.fail(err)
		}
		return &one[Authorization]{Authorization{
			AuthorizeURL: started.URL, ExpiresAt: started.ExpiresAt.UTC(), BrowserCookie: Cookie{BrowserCookie + "_" + browser[:8], browser},
		}}, nil
	})
	pasted := operation("finish-pasted", http.MethodPost, "/api/v1/connections/{name}/authorizations/pasted",
		"Finish an authorization with the address landed on", "Connections", 404, 422, 502, 503)
	huma.Register(a.huma, pasted, func(ctx context.Context, in *struct {
		NameInput
		Body PastedBody
	}) (*one[Connection], error) {
		finished, err := a.grants.Paste(ctx, in.Name, in.Body.Pasted)
		if err != nil {
			return nil, a.fail(err)
		}
		return a.view(ctx, finished.Connection)
	})
	a.registerOffer()
	a.registerDevice()
	a.registerRehearsal()
	a.registerAccounts()
}

// OfferBody decides about an authorization that was kept aside.
type OfferBody struct {
	Take bool `json:"take" doc:"true replaces the present grant by it, false forgets it"`
}

// registerOffer is what becomes of an authorization that would have replaced a better
// grant.
func (a *API) registerOffer() {
	decide := operation("decide-offered", http.MethodPost, "/api/v1/connections/{name}/authorizations/offered",
		"Take or drop an authorization that was kept aside", "Connections", 404, 409, 422)
	decide.Description = "An authorization that brought no refresh token, or whose account is unproven, does not replace a grant that is better: it is kept aside for 15 minutes."
	huma.Register(a.huma, decide, func(ctx context.Context, in *struct {
		NameInput
		Body OfferBody
	}) (*one[Connection], error) {
		decide := a.conns.DropOffer
		if in.Body.Take {
			decide = a.conns.TakeOffer
		}
		c, err := decide(ctx, connections.Named(in.Name))
		if err != nil {
			return nil, a.fail(err)
		}
		return a.view(ctx, c)
	})
}
