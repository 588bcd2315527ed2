package definition

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// filler adds the addresses of one operation to a configuration: others may have
// placeholders without a value in it.
type filler func(v values, c *oauth.Config) error

func (d *Definition) authorizationAddress(v values, c *oauth.Config) (err error) {
	if c.AuthURL, err = d.address(v, d.Authorization.URL); err != nil {
		return err
	}
	c.PushedURL, err = d.address(v, d.Authorization.PushedURL)
	return err
}

func (d *Definition) tokenAddress(v values, c *oauth.Config) (err error) {
	c.TokenURL, err = d.address(v, d.Token.URL)
	return err
}

// refreshAddress is where a renewal is sent.
func (d *Definition) refreshAddress(v values, c *oauth.Config) (err error) {
	c.TokenURL, err = d.address(v, cmp.Or(d.Token.RefreshURL, d.Token.URL))
	return err
}

// address is an address with its placeholders filled in. Some are filled in by what came
// through a browser, so that its host has to be one of the document's.
func (d *Definition) address(v values, template string) (string, error) {
	filled, err := v.address(template)
	if err != nil || filled == "" {
		return "", err
	}
	u, err := url.Parse(filled)
	if err == nil && u.User == nil && u.Fragment == "" {
		if _, ok := provider.MatchHost(d.hosts(), v.call.Service, u); ok {
			return filled, nil
		}
	}
	return "", provider.Errorf(provider.Blocked, "", "the service named a host for %s that its definition does not allow; if it is right, add it to the definition's hosts", template)
}

func (d *Definition) endpointAddress(e *Endpoint, field func(*oauth.Config) *string) filler {
	return func(v values, c *oauth.Config) (err error) {
		*field(c), err = d.address(v, e.URL)
		return err
	}
}

// standard is the provider of one operation.
func (p served) standard(v values, fill filler) (standard, error) {
	d := p.d
	c := oauth.Config{
		Description: provider.Description{ScopeSeparator: d.ScopeSeparator, ScopesFixed: d.ScopesFixed},
		Auth:        d.auth(), Resources: d.Token.Resources, Rename: d.Token.Rename,
		TokenParams: v.params(d.Token.Params), RefreshParams: v.params(d.Token.RefreshParams), RefreshForm: v.params(d.Token.RefreshForm),
		ClientCredentialsForm: v.params(d.Token.ClientCredentialsForm),
		Send:                  oauth.Send{Method: d.Token.Method, JSON: d.Token.JSON, Header: v.header(d.Token.Header)},
		Decode:                d.decode(),
		Grants:                []provider.Grant{provider.GrantClientCredentials, provider.GrantRefresh},
	}
	if a := d.Authorization; a != nil {
		c.AuthParams, c.ConsentParams = v.params(a.Params), v.params(a.ConsentParams)
	}
	if d.Userinfo != nil {
		c.Userinfo, c.Account = v.send(&d.Userinfo.Endpoint), oauth.Account{ID: d.Userinfo.ID, Name: d.Userinfo.Account}
	}
	if d.Revocation != nil {
		c.Revocation = v.send(d.Revocation)
	}
	if err := fill(v, &c); err != nil {
		return nil, err
	}
	s, ok := oauth.New(c).(standard)
	if !ok {
		return nil, provider.Errorf(provider.Internal, "", "sdk/oauth serves less than its configuration asks for")
	}
	return s, nil
}

func (v values) send(e *Endpoint) oauth.Send {
	return oauth.Send{Method: e.Method, JSON: e.JSON, Form: v.params(e.Form), Header: v.header(e.Header)}
}

func (v values) header(templates map[string]string) http.Header {
	var header http.Header
	for name, template := range templates {
		if header == nil {
			header = http.Header{}
		}
		header.Set(name, v.fill(template))
	}
	return header
}

// meanings are what a document's errors may mean.
var meanings = map[string]provider.Kind{
	"internal": provider.Internal, "transient": provider.Transient, "blocked": provider.Blocked,
	"reauthorization_required": provider.ReauthorizationRequired, "denied": provider.Denied, "too_early": provider.Transient,
}

// decode is the form of token replies.
func (d *Definition) decode() oauth.Decode {
	r := d.Token.Reply
	decode := oauth.Decode{
		ExpiresInUnit: time.Duration(r.ExpiresInUnit), ScopeSeparator: cmp.Or(r.ScopeSeparator, d.ScopeSeparator), Private: r.Private,
		Fields: oauth.TokenFields{
			AccessToken: r.AccessToken, RefreshToken: r.RefreshToken, IDToken: r.IDToken, TokenType: r.TokenType, Scope: r.Scope,
			ExpiresIn: r.ExpiresIn, ExpiresAt: r.ExpiresAt, ExpiresAtUnit: time.Duration(r.ExpiresAtUnit), RefreshExpiresIn: r.RefreshExpiresIn,
		},
	}
	for _, f := range d.Errors {
		decode.Failures = append(decode.Failures, oauth.Failure{
			Status: f.Status, Code: f.Code, Text: f.Text, Kind: meanings[f.Means], TooEarly: f.Means == "too_early", Remedy: f.Explain.text(),
		})
	}
	return decode
}
