package oauth

import (
	"cmp"
	"context"
	"net/url"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

const deviceGrantType = "urn:ietf:params:oauth:grant-type:device_code"

// deviceCodes are the errors of RFC 8628 section 3.5. Those that only mean waiting are
// Transient; the hub knows them by their codes.
var deviceCodes = map[string]provider.Kind{
	"authorization_pending": provider.Transient, "slow_down": provider.Transient,
	"access_denied": provider.Denied, "expired_token": provider.ReauthorizationRequired,
}

// DeviceAuthorization implements provider.DeviceGrant (RFC 8628 section 3.1).
func (p core) DeviceAuthorization(ctx context.Context, req *provider.DeviceAuthorizationRequest) (*provider.DeviceAuthorization, error) {
	e, err := p.endpoints(req.Service)
	if err != nil {
		return nil, err
	}
	if e.DeviceURL == "" {
		return nil, provider.Errorf(provider.Blocked, "", "service %s has no endpoint for device authorization", req.Service.Name)
	}
	form := url.Values{}
	if scope := p.scope(req.Service); scope != "" {
		form.Set("scope", scope)
	}
	if len(e.Resources) > 0 {
		form["resource"] = e.Resources
	}
	reply, err := Do(ctx, req.HTTP, p.request(req.Call, e, e.DeviceURL, form))
	if err != nil {
		return nil, err
	}
	if err := reply.Err(p.c.Decode.Codes); err != nil {
		return nil, err
	}
	d := &provider.DeviceAuthorization{
		DeviceCode: text(reply.Fields["device_code"]), UserCode: text(reply.Fields["user_code"]),
		// Google calls it verification_url.
		VerificationURI:         cmp.Or(text(reply.Fields["verification_uri"]), text(reply.Fields["verification_url"])),
		VerificationURIComplete: cmp.Or(text(reply.Fields["verification_uri_complete"]), text(reply.Fields["verification_url_complete"])),
		ExpiresIn:               seconds(reply.Fields["expires_in"]), Interval: seconds(reply.Fields["interval"]),
	}
	if d.DeviceCode == "" || d.UserCode == "" || d.VerificationURI == "" {
		return nil, provider.Errorf(provider.Internal, "", "the service's reply lacks device_code, user_code or verification_uri")
	}
	return d, nil
}

// seconds reads a number of seconds; what is none is zero.
func seconds(value any) time.Duration {
	d, err := time.ParseDuration(text(value) + "s")
	if err != nil {
		return 0
	}
	return d
}

// DeviceToken implements provider.DeviceGrant (RFC 8628 section 3.4).
func (p core) DeviceToken(ctx context.Context, req *provider.DeviceTokenRequest) (*provider.Token, error) {
	polling := p
	polling.c.Decode.Codes = merged(deviceCodes, p.c.Decode.Codes)
	token, err := polling.token(ctx, req.Call, url.Values{"grant_type": {deviceGrantType}, "device_code": {req.DeviceCode}}, nil)
	return p.noteKey(req.Service, token, err)
}
