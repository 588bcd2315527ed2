package oauth

import (
	"context"
	"net/url"

	"github.com/evergrant/evergrant/sdk/provider"
)

// push sends an authorization request to the service (RFC 9126) and returns the parameters
// that the browser takes along instead.
func (p core) push(ctx context.Context, call provider.Call, e Endpoints, params url.Values) (url.Values, error) {
	form := merged(params, nil)
	form.Del("client_id") // client authentication names it
	reply, err := Do(ctx, call.HTTP, p.request(call, e, e.PushedURL, form))
	if err != nil {
		return nil, err
	}
	if err := reply.Err(p.c.Decode.Codes); err != nil {
		return nil, err
	}
	uri := text(reply.Fields["request_uri"])
	if uri == "" {
		return nil, provider.Errorf(provider.Internal, "", "the service took the authorization request, but its reply has no request_uri")
	}
	return url.Values{"client_id": {call.Service.ClientID}, "request_uri": {uri}}, nil
}
