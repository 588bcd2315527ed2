package operation

import (
	"context"
	"fmt"

	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Obtaining is what the hub obtains a token set with, without a person.
type Obtaining struct {
	// Grant is how the connection gets its tokens.
	Grant provider.Grant
	// Current is the token set in force; empty for the first one.
	Current provider.Token
	// Fields are what a person entered for a login or a static key.
	Fields provider.Fields
	// RedirectURI is the one of the authorization that Current comes from.
	RedirectURI string
}

// obtain is a request for a token set on a plugin's client.
type obtain func(context.Context, *providerplugin.Client, providerplugin.Relay, provider.Call) (*provider.Token, error)

// Obtain gets the next token set of a connection, or the first one of a grant that needs
// no person: by the same grant again where that is possible, else by Refresh.
func (r *Runner) Obtain(ctx context.Context, op *Op, o Obtaining) (*provider.Token, Outcome, error) {
	name, ask := obtaining(op.Service.Provider, o)
	if ask == nil {
		return nil, Outcome{}, provider.Errorf(provider.Internal, "", "a token set of the grant %q is not obtained without a person", o.Grant)
	}
	op.Spends = true
	ctx = pluginhost.WithTokens(withToken(ctx, o.Current), secretsOfFields(o.Fields)...)
	return r.token(ctx, name, op, ask)
}

// obtaining names the operation of a grant and returns what it does.
func obtaining(providerName string, o Obtaining) (name string, ask obtain) {
	switch o.Grant {
	case provider.GrantClientCredentials:
		return "client credentials", func(ctx context.Context, c *providerplugin.Client, relay providerplugin.Relay, call provider.Call) (*provider.Token, error) {
			return c.ClientCredentials(ctx, relay, providerName, &provider.ClientCredentialsRequest{Call: call})
		}
	case provider.GrantAssertion:
		return "assertion", func(ctx context.Context, c *providerplugin.Client, relay providerplugin.Relay, call provider.Call) (*provider.Token, error) {
			return c.Assertion(ctx, relay, providerName, &provider.AssertionRequest{Call: call})
		}
	case provider.GrantLogin:
		return "login", func(ctx context.Context, c *providerplugin.Client, relay providerplugin.Relay, call provider.Call) (*provider.Token, error) {
			return c.Login(ctx, relay, providerName, &provider.LoginRequest{Call: call, Fields: o.Fields})
		}
	case provider.GrantStatic:
		return "", nil
	default:
		return "refresh", func(ctx context.Context, c *providerplugin.Client, relay providerplugin.Relay, call provider.Call) (*provider.Token, error) {
			return c.Refresh(ctx, relay, providerName, &provider.RefreshRequest{Call: call, Current: o.Current, RedirectURI: o.RedirectURI})
		}
	}
}

// token runs an operation whose result is a token set.
func (r *Runner) token(ctx context.Context, name string, op *Op, ask obtain) (*provider.Token, Outcome, error) {
	var token *provider.Token
	out, err := r.run(ctx, name, op, func(ctx context.Context, c *providerplugin.Client, relay providerplugin.Relay, call provider.Call) (err error) {
		token, err = ask(ctx, c, relay, call)
		return err
	})
	return token, out, err
}

// Static makes a token set of a key that a person entered. It changes nothing at the
// service.
func (r *Runner) Static(ctx context.Context, op *Op, fields provider.Fields) (*provider.Token, error) {
	ctx = pluginhost.WithTokens(ctx, secretsOfFields(fields)...)
	token, _, err := r.token(ctx, "static key", op, func(ctx context.Context, c *providerplugin.Client, relay providerplugin.Relay, call provider.Call) (*provider.Token, error) {
		return c.Static(ctx, relay, op.Service.Provider, &provider.StaticRequest{Call: call, Fields: fields})
	})
	return token, err
}

// DeviceAuthorization begins a device authorization and returns what to show the person.
func (r *Runner) DeviceAuthorization(ctx context.Context, op *Op) (*provider.DeviceAuthorization, error) {
	var started *provider.DeviceAuthorization
	_, err := r.run(ctx, "device authorization", op, func(ctx context.Context, c *providerplugin.Client, relay providerplugin.Relay, call provider.Call) (err error) {
		started, err = c.DeviceAuthorization(ctx, relay, op.Service.Provider, &provider.DeviceAuthorizationRequest{Call: call})
		return err
	})
	return started, err
}

// DeviceToken asks once whether the person has answered. The answer that brings tokens
// spends the device code.
func (r *Runner) DeviceToken(ctx context.Context, op *Op, req provider.DeviceTokenRequest) (*provider.Token, Outcome, error) {
	op.Spends = true
	ctx = pluginhost.WithTokens(ctx, req.DeviceCode)
	return r.token(ctx, "device token", op, func(ctx context.Context, c *providerplugin.Client, relay providerplugin.Relay, call provider.Call) (*provider.Token, error) {
		req.Call = call
		return c.DeviceToken(ctx, relay, op.Service.Provider, &req)
	})
}

// Introspect asks whether a renewal would work, and spends nothing.
func (r *Runner) Introspect(ctx context.Context, op *Op, current provider.Token) (*provider.Introspection, error) {
	var found *provider.Introspection
	_, err := r.run(withToken(ctx, current), "introspect", op, func(ctx context.Context, c *providerplugin.Client, relay providerplugin.Relay, call provider.Call) (err error) {
		found, err = c.Introspect(ctx, relay, op.Service.Provider, &provider.IntrospectRequest{Call: call, Current: current})
		return err
	})
	return found, err
}

// secretsOfFields are the texts that a person entered.
func secretsOfFields(fields provider.Fields) (secrets []string) {
	for _, value := range fields {
		secrets = append(secrets, fmt.Sprint(value))
	}
	return secrets
}
