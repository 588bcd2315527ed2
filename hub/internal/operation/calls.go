package operation

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// PrepareService has the provider prepare a service; without a ServicePreparer the
// provider's own description is returned.
func (r *Runner) PrepareService(ctx context.Context, op *Op) (*provider.PreparedService, error) {
	var prepared *provider.PreparedService
	_, err := r.run(ctx, "prepare service", op, func(ctx context.Context, c *providerplugin.Client, relay providerplugin.Relay, call provider.Call) (err error) {
		prepared, err = c.PrepareService(ctx, relay, op.Service.Provider, &provider.PrepareServiceRequest{Call: call})
		return err
	})
	return prepared, err
}

// AuthCodeURL returns where to send the browser.
func (r *Runner) AuthCodeURL(ctx context.Context, op *Op, req provider.AuthCodeURLRequest) (*provider.AuthCodeURL, error) {
	var u *provider.AuthCodeURL
	_, err := r.run(ctx, "authorization address", op, func(ctx context.Context, c *providerplugin.Client, relay providerplugin.Relay, call provider.Call) (err error) {
		req.Call = call
		u, err = c.AuthCodeURL(ctx, relay, op.Service.Provider, &req)
		return err
	})
	return u, err
}

// Exchange turns an authorization code into tokens.
func (r *Runner) Exchange(ctx context.Context, op *Op, req provider.ExchangeRequest) (*provider.Token, Outcome, error) {
	var token *provider.Token
	op.Spends = true
	ctx = pluginhost.WithTokens(ctx, req.Code, req.CodeVerifier)
	out, err := r.run(ctx, "exchange", op, func(ctx context.Context, c *providerplugin.Client, relay providerplugin.Relay, call provider.Call) (err error) {
		req.Call = call
		token, err = c.Exchange(ctx, relay, op.Service.Provider, &req)
		return err
	})
	return token, out, err
}

// Revoke ends a grant at the service.
func (r *Runner) Revoke(ctx context.Context, op *Op, current provider.Token) error {
	_, err := r.run(withToken(ctx, current), "revoke", op, func(ctx context.Context, c *providerplugin.Client, relay providerplugin.Relay, call provider.Call) error {
		return c.Revoke(ctx, relay, op.Service.Provider, &provider.RevokeRequest{Call: call, Current: current})
	})
	return err
}

// Identify returns the account of the grant.
func (r *Runner) Identify(ctx context.Context, op *Op, current provider.Token) (*provider.Account, error) {
	var account *provider.Account
	_, err := r.run(withToken(ctx, current), "identify", op, func(ctx context.Context, c *providerplugin.Client, relay providerplugin.Relay, call provider.Call) (err error) {
		account, err = c.Identify(ctx, relay, op.Service.Provider, &provider.IdentifyRequest{Call: call, Current: current})
		return err
	})
	return account, err
}

// Look requests an address as a browser would and returns the status of the answer. No
// plugin runs; the egress policy of the service applies. Errors: *provider.Error.
func (r *Runner) Look(ctx context.Context, op *Op, address string) (int, error) {
	c, err := r.relayFor(op)
	if err != nil {
		return 0, err
	}
	status, err := r.exchanger.Look(ctx, c.to, address)
	if err != nil {
		return 0, provider.Errorf(provider.Transient, "no_answer", "%w", err)
	}
	return status, nil
}
