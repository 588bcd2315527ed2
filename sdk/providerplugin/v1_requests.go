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
		OptionsJson: options, Data: s.Data,
	}, nil
}

func v1ServiceFrom(w *providerv1.Service) (provider.Service, error) {
	s := provider.Service{
		Name: w.GetName(), ClientID: w.GetClientId(), ClientSecret: w.GetClientSecret(),
		Scopes: w.GetScopes(), Data: w.GetData(),
	}
	options, err := jsonObject(w.GetOptionsJson())
	if err != nil {
		return s, fmt.Errorf("options of service %s: %w", s.Name, err)
	}
	for name, v := range options {
		switch v := v.(type) {
		case json.Number:
			n, err := v.Int64()
			if err != nil {
				return s, fmt.Errorf("option %s of service %s is not a whole number", name, s.Name)
			}
			options[name] = n
		case []any:
			list := make([]string, 0, len(v))
			for _, item := range v {
				list = append(list, fmt.Sprint(item))
			}
			options[name] = list
		}
	}
	s.Options = options
	return s, nil
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
	if len(t.Extra) > 0 {
		extra, err := json.Marshal(t.Extra)
		if err != nil {
			return nil, fmt.Errorf("extra fields of the token: %w", err)
		}
		w.ExtraJson = extra
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
	extra, err := jsonObject(w.GetExtraJson())
	if err != nil {
		return t, fmt.Errorf("extra fields of the token: %w", err)
	}
	t.Extra = extra
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
