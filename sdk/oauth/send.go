package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Get fetches a resource with an access token as RFC 6750 section 2.1 has it,
// for example userinfo. It has the guarantees of Do.
func Get(ctx context.Context, call provider.Call, address, accessToken string) (*Reply, error) {
	httpReq, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errAddress(address)
	}
	httpReq.Header.Set("Authorization", "Bearer "+accessToken)
	httpReq.Header.Set("Accept", "application/json")
	return send(call.HTTP, httpReq, call.Now, []string{accessToken, call.Service.ClientSecret})
}

// send sends a request and reads the whole reply.
func send(client *http.Client, req *http.Request, now time.Time, secrets []string) (*Reply, error) {
	once := *client
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := once.Do(req)
	if err != nil {
		return nil, noReply(req.Context(), err, secrets)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err != nil {
		return nil, noReply(req.Context(), err, secrets)
	}
	return newReply(resp.StatusCode, resp.Header, body, now, secrets), nil
}

// noReply is a request that got no reply, or half of one. What happened is
// taken from below url.Error, which quotes the address and with it what a GET
// carries.
func noReply(ctx context.Context, err error, secrets []string) *provider.Error {
	if ctx.Err() != nil {
		return &provider.Error{
			Kind: provider.Transient, Code: "timeout", Message: "the service did not answer in the time for it", Err: ctx.Err(),
		}
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	text := quote(err.Error(), secrets)
	return &provider.Error{Kind: provider.Transient, Message: fmt.Sprintf("the service gave no whole reply: %s", text), Err: err}
}
