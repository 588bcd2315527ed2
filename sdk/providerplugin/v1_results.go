package providerplugin

import (
	"errors"

	"google.golang.org/protobuf/types/known/durationpb"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
	"github.com/evergrant/evergrant/sdk/provider"
)

// errEmpty is the error of a nil result without an error.
var errEmpty = errors.New("the provider returned neither a result nor an error")

// v1WithToken reads a token set and hands it to do.
func v1WithToken[T any](wire *providerv1.Token, do func(provider.Token) (T, error)) (T, error) {
	token, err := v1TokenFrom(wire)
	if err != nil {
		var none T
		return none, err
	}
	return do(token)
}

func v1TokenResult(t *provider.Token, err error) (*providerv1.Result, error) {
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, errEmpty
	}
	wire, err := v1Token(*t)
	if err != nil {
		return nil, err
	}
	return &providerv1.Result{Result: &providerv1.Result_Token{Token: wire}}, nil
}

func v1PreparedResult(p *provider.PreparedService, err error) (*providerv1.Result, error) {
	if err != nil {
		return nil, err
	}
	if p == nil {
		p = &provider.PreparedService{}
	}
	wire := &providerv1.PreparedService{Data: p.Data}
	if p.Description != nil {
		if wire.Description, err = v1Description(p.Description); err != nil {
			return nil, err
		}
	}
	return &providerv1.Result{Result: &providerv1.Result_PreparedService{PreparedService: wire}}, nil
}

func v1AuthCodeURLResult(u *provider.AuthCodeURL, err error) (*providerv1.Result, error) {
	if err != nil {
		return nil, err
	}
	if u == nil {
		return nil, errEmpty
	}
	return &providerv1.Result{Result: &providerv1.Result_AuthCodeUrl{
		AuthCodeUrl: &providerv1.AuthCodeUrlResult{Url: u.URL, Data: u.Data},
	}}, nil
}

func v1DeviceResult(d *provider.DeviceAuthorization, err error) (*providerv1.Result, error) {
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, errEmpty
	}
	return &providerv1.Result{Result: &providerv1.Result_DeviceAuthorization{
		DeviceAuthorization: &providerv1.DeviceAuthorizationResult{
			DeviceCode: d.DeviceCode, UserCode: d.UserCode, VerificationUri: d.VerificationURI,
			VerificationUriComplete: d.VerificationURIComplete,
			ExpiresIn:               durationpb.New(d.ExpiresIn), Interval: durationpb.New(d.Interval), Data: d.Data,
		},
	}}, nil
}

func v1AccountResult(a *provider.Account, err error) (*providerv1.Result, error) {
	if err != nil {
		return nil, err
	}
	if a == nil {
		return nil, errEmpty
	}
	return &providerv1.Result{Result: &providerv1.Result_Account{
		Account: &providerv1.Account{Id: a.ID, Name: a.Name},
	}}, nil
}

func v1IntrospectionResult(i *provider.Introspection, err error) (*providerv1.Result, error) {
	if err != nil {
		return nil, err
	}
	if i == nil {
		return nil, errEmpty
	}
	w := &providerv1.Introspection{
		AccessToken: activitiesV1[i.AccessToken], RefreshToken: activitiesV1[i.RefreshToken],
		Scopes: i.Scopes, ScopesStated: i.Scopes != nil,
	}
	if i.ExpiresIn != nil {
		w.ExpiresIn = durationpb.New(*i.ExpiresIn)
	}
	if i.RefreshExpiresIn != nil {
		w.RefreshExpiresIn = durationpb.New(*i.RefreshExpiresIn)
	}
	return &providerv1.Result{Result: &providerv1.Result_Introspection{Introspection: w}}, nil
}

func v1IntrospectionFrom(w *providerv1.Introspection) *provider.Introspection {
	i := &provider.Introspection{}
	i.AccessToken, _ = wordOf(activitiesV1, w.GetAccessToken())
	i.RefreshToken, _ = wordOf(activitiesV1, w.GetRefreshToken())
	if d := w.GetExpiresIn(); d != nil {
		i.ExpiresIn = new(d.AsDuration())
	}
	if d := w.GetRefreshExpiresIn(); d != nil {
		i.RefreshExpiresIn = new(d.AsDuration())
	}
	if w.GetScopesStated() {
		i.Scopes = append([]string{}, w.GetScopes()...)
	}
	return i
}
