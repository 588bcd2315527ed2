package definition

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// StaticKey is a key that a person makes at the service and enters in the hub.
type StaticKey struct {
	// Fields are what is entered. Token names the one that processes send; they get the
	// others beside it.
	Fields    []Option `yaml:"fields"`
	Token     string   `yaml:"token"`
	MadeBy    Text     `yaml:"made_by"`
	MadeAtURL string   `yaml:"made_at_url"`
	Steps     []Text   `yaml:"steps"`
	Overlap   Duration `yaml:"overlap"`
}

// described is the key as a description has it; zero for nil.
func (k *StaticKey) described() provider.StaticKey {
	if k == nil {
		return provider.StaticKey{}
	}
	return provider.StaticKey{
		Fields: schemaOf(k.Fields), MadeBy: k.MadeBy.text(), MadeAtURL: k.MadeAtURL, Steps: texts(k.Steps), Overlap: k.Overlap.Span(),
	}
}

// requestsTokens reports whether the token endpoint is asked for tokens.
func (d *Definition) requestsTokens() bool {
	return d.Authorization != nil || d.Device != nil || d.ClientCredentials
}

// staticKey requires that the token is one of the fields, and that each field is one that a
// form can have.
func (c *checking) staticKey() {
	k := c.d.StaticKey
	if k == nil {
		return
	}
	c.options("static_key.fields", k.Fields)
	if !slices.ContainsFunc(k.Fields, func(o Option) bool { return o.Name == k.Token && o.Required && o.Secret }) {
		c.add("static_key.token", fmt.Sprintf("Add a field %q that is required and secret.", k.Token),
			fmt.Sprintf("Добавьте поле «%s», обязательное и секретное.", k.Token))
	}
}

// Static implements provider.StaticGrant. Keys are copied by hand, often with a space or a
// line break at the end.
func (p served) Static(ctx context.Context, req *provider.StaticRequest) (*provider.Token, error) {
	key := p.d.StaticKey
	token := &provider.Token{AccessToken: strings.TrimSpace(req.Fields.Text(key.Token))}
	if token.AccessToken == "" || strings.ContainsAny(token.AccessToken, " \t\r\n") {
		e := provider.Errorf(provider.ReauthorizationRequired, "no_key", "what was entered is no key: it is empty, or has spaces inside")
		e.Remedy = provider.Text{EN: "Copy the key once more, whole and without spaces.", RU: "Скопируйте ключ ещё раз: целиком и без пробелов."}
		return nil, e
	}
	for _, field := range key.Fields {
		if value := strings.TrimSpace(req.Fields.Text(field.Name)); field.Name != key.Token && value != "" {
			if token.Extra == nil {
				token.Extra = map[string]any{}
			}
			token.Extra[field.Name] = value
		}
	}
	if p.d.Userinfo == nil {
		return token, nil
	}
	return token, p.tried(ctx, req.Call, *token)
}

// tried asks the service whose a new key is, so that a wrong one does not replace the one in
// force.
func (p served) tried(ctx context.Context, call provider.Call, token provider.Token) error {
	v := values{call: call, current: token}
	address, err := p.d.address(v, p.d.Userinfo.URL)
	if err != nil {
		return err
	}
	send := v.send(&p.d.Userinfo.Endpoint)
	if send.Header.Get("Authorization") == "" && send.Form == nil && !strings.Contains(p.d.Userinfo.URL, "{access_token}") {
		if send.Header == nil {
			send.Header = http.Header{}
		}
		send.Header.Set("Authorization", "Bearer "+token.AccessToken)
	}
	reply, err := oauth.Do(ctx, call.HTTP, oauth.TokenRequest{
		Endpoint: address, Method: cmp.Or(send.Method, http.MethodGet), JSON: send.JSON, Form: send.Form, Header: send.Header, Auth: oauth.AuthNone,
		ClientSecret: token.AccessToken, // is kept out of errors; nothing else is done with it
		Now:          call.Now,
	})
	if err != nil {
		return err
	}
	return refused(reply)
}

// refused is the error of a service that does not take a key; nil if it does. An outage says
// nothing about the key.
func refused(reply *oauth.Reply) error {
	err := reply.Err(nil)
	e, ok := errors.AsType[*provider.Error](err)
	if ok && (reply.Status == http.StatusUnauthorized || reply.Status == http.StatusForbidden || reply.Status < 300 && e.Kind != provider.Transient) {
		e.Kind = provider.ReauthorizationRequired
		e.Remedy = provider.Text{
			EN: "The service does not accept this key. Copy it once more, or make another one with the rights that are needed.",
			RU: "Сервис не принимает этот ключ. Скопируйте его ещё раз или создайте другой, с нужными правами.",
		}
	}
	return err
}
