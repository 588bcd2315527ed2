package providerplugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"

	"google.golang.org/protobuf/types/known/durationpb"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
	"github.com/evergrant/evergrant/sdk/provider"
)

func v1Service(s provider.Service) (*providerv1.Service, error) {
	options, err := json.Marshal(s.Options)
	if err != nil {
		return nil, fmt.Errorf("options of service %s: %w", s.Name, err)
	}
	return &providerv1.Service{
		Name: s.Name, ClientId: s.ClientID, ClientSecret: s.ClientSecret, Scopes: s.Scopes,
		OptionsJson: options, Data: s.Data, Resources: s.Resources,
	}, nil
}

func v1Connection(c provider.Connection) (*providerv1.Connection, error) {
	if c.Name == "" {
		return nil, nil //nolint:nilnil // the operation is about none
	}
	options, err := v1Object("options of connection "+c.Name, c.Options)
	return &providerv1.Connection{Name: c.Name, OptionsJson: options, Part: c.Part}, err
}

func v1ConnectionFrom(w *providerv1.Connection) (provider.Connection, error) {
	options, err := v1Values("options of connection "+w.GetName(), w.GetOptionsJson())
	return provider.Connection{Name: w.GetName(), Options: options, Part: w.GetPart()}, err
}

// v1Object encodes values by name; nil for none.
func v1Object[M ~map[string]any](of string, values M) ([]byte, error) {
	if len(values) == 0 {
		return nil, nil
	}
	data, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", of, err)
	}
	return data, nil
}

// v1WithFields reads the fields of a login or a key and hands them to do.
func v1WithFields(data []byte, do func(provider.Fields) (*provider.Token, error)) (*provider.Token, error) {
	fields, err := v1Values("the fields", data)
	if err != nil {
		return nil, err
	}
	return do(fields)
}

func v1ServiceFrom(w *providerv1.Service) (provider.Service, error) {
	s := provider.Service{
		Name: w.GetName(), ClientID: w.GetClientId(), ClientSecret: w.GetClientSecret(),
		Scopes: w.GetScopes(), Data: w.GetData(), Resources: w.GetResources(),
	}
	var err error
	s.Options, err = v1Values("options of service "+s.Name, w.GetOptionsJson())
	return s, err
}

// v1Values decodes the values of a form, in the types that its schema has.
func v1Values(of string, data []byte) (map[string]any, error) {
	values, err := jsonObject(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", of, err)
	}
	for name, v := range values {
		switch v := v.(type) {
		case json.Number:
			n, err := v.Int64()
			if err != nil {
				return nil, fmt.Errorf("%s: %s is not a whole number", of, name)
			}
			values[name] = n
		case []any:
			list := make([]string, 0, len(v))
			for _, item := range v {
				list = append(list, fmt.Sprint(item))
			}
			values[name] = list
		}
	}
	return values, nil
}

// jsonObject decodes an object and keeps its numbers exact.
func jsonObject(data []byte) (map[string]any, error) {
	if len(data) == 0 {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var object map[string]any
	if err := dec.Decode(&object); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	return object, nil
}

func v1Token(t provider.Token) (*providerv1.Token, error) {
	w := &providerv1.Token{
		AccessToken: t.AccessToken, TokenType: t.TokenType, RefreshToken: t.RefreshToken,
		Scopes: t.Scopes, ScopesStated: t.Scopes != nil, IdToken: t.IDToken,
	}
	if t.ExpiresIn != nil {
		w.ExpiresIn = durationpb.New(*t.ExpiresIn)
	}
	if t.RefreshExpiresIn != nil {
		w.RefreshExpiresIn = durationpb.New(*t.RefreshExpiresIn)
	}
	var err error
	if w.ExtraJson, err = v1Object("extra fields of the token", t.Extra); err != nil {
		return nil, err
	}
	if w.PrivateJson, err = v1Object("private state of the token", t.Private); err != nil {
		return nil, err
	}
	for _, p := range t.Parts {
		part, err := v1Token(p.Token)
		if err != nil {
			return nil, fmt.Errorf("part %s: %w", p.Part, err)
		}
		w.Parts = append(w.Parts, &providerv1.PartToken{Part: p.Part, Token: part, Account: &providerv1.Account{Id: p.Account.ID, Name: p.Account.Name}})
	}
	return w, nil
}

func v1TokenFrom(w *providerv1.Token) (provider.Token, error) {
	t := provider.Token{
		AccessToken: w.GetAccessToken(), TokenType: w.GetTokenType(), RefreshToken: w.GetRefreshToken(),
		IDToken: w.GetIdToken(),
	}
	if w.GetScopesStated() {
		t.Scopes = append([]string{}, w.GetScopes()...)
	}
	if d := w.GetExpiresIn(); d != nil {
		t.ExpiresIn = new(d.AsDuration())
	}
	if d := w.GetRefreshExpiresIn(); d != nil {
		t.RefreshExpiresIn = new(d.AsDuration())
	}
	var err error
	if t.Extra, err = jsonObject(w.GetExtraJson()); err != nil {
		return t, fmt.Errorf("extra fields of the token: %w", err)
	}
	if t.Private, err = jsonObject(w.GetPrivateJson()); err != nil {
		return t, fmt.Errorf("private state of the token: %w", err)
	}
	for _, p := range w.GetParts() {
		part, err := v1TokenFrom(p.GetToken())
		if err != nil {
			return t, fmt.Errorf("part %s: %w", clean(p.GetPart(), 100), err)
		}
		t.Parts = append(t.Parts, provider.PartToken{
			Part: clean(p.GetPart(), 100), Token: part,
			Account: provider.Account{ID: clean(p.GetAccount().GetId(), 300), Name: clean(p.GetAccount().GetName(), 300)},
		})
	}
	return t, nil
}

func v1AuthCodeURLRequest(call provider.Call, w *providerv1.AuthCodeUrl) *provider.AuthCodeURLRequest {
	return &provider.AuthCodeURLRequest{
		Call: call, State: w.GetState(), RedirectURI: w.GetRedirectUri(), CodeChallenge: w.GetCodeChallenge(),
		Nonce: w.GetNonce(), ForceConsent: w.GetForceConsent(), LoginHint: w.GetLoginHint(),
	}
}

func v1ExchangeRequest(call provider.Call, w *providerv1.Exchange) *provider.ExchangeRequest {
	params := make(url.Values, len(w.GetParams()))
	for _, p := range w.GetParams() {
		params.Add(p.GetName(), p.GetValue())
	}
	return &provider.ExchangeRequest{
		Call: call, Code: w.GetCode(), Params: params, RedirectURI: w.GetRedirectUri(),
		CodeVerifier: w.GetCodeVerifier(), Nonce: w.GetNonce(), Data: w.GetData(),
	}
}

func v1Exchange(req *provider.ExchangeRequest) *providerv1.Exchange {
	w := &providerv1.Exchange{
		Code: req.Code, RedirectUri: req.RedirectURI, CodeVerifier: req.CodeVerifier, Nonce: req.Nonce, Data: req.Data,
	}
	for name, values := range req.Params {
		for _, v := range values {
			w.Params = append(w.Params, &providerv1.Parameter{Name: name, Value: v})
		}
	}
	return w
}
