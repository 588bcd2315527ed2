package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// discover gets the metadata of the service's issuer (OpenID Connect Discovery, RFC
// 8414). Without an issuer the metadata are empty. Errors of the issuer are explained in
// the administrator's language; an outage stays Transient.
func discover(ctx context.Context, call provider.Call) (*oauth.Metadata, error) {
	issuer := call.Service.Option(optionIssuer)
	if issuer == "" {
		return &oauth.Metadata{}, nil
	}
	if before, _, found := strings.Cut(issuer, "/.well-known/"); found {
		return nil, wrongOption(optionIssuer, "the issuer was entered as the address of its metadata", remedyWellKnown(before))
	}
	last := &lastReply{next: call.HTTP.Transport}
	client := *call.HTTP
	client.Transport = last
	call.HTTP = &client
	m, err := oauth.Discover(ctx, call, issuer)
	if err != nil {
		// Metadata without an endpoint are usable if it is entered by hand.
		if m = last.metadata(); m == nil || provider.KindOf(err) != provider.Blocked {
			return nil, undiscovered(ctx, err, last.status)
		}
	}
	same := strings.TrimSuffix(m.Issuer, "/") == strings.TrimSuffix(issuer, "/")
	if m.Issuer != issuer && (same || !m.Fits(issuer)) {
		return nil, wrongOption(optionIssuer, "the metadata at the issuer's address belong to another issuer", remedyMismatch(m.Issuer))
	}
	if !same {
		m.Issuer = "" // of many tenants: the iss of a callback is the tenant's own
	}
	return m, secure(issuer, m)
}

// secure refuses endpoints without TLS of an issuer with TLS, because they would expose
// the client secret.
func secure(issuer string, m *oauth.Metadata) error {
	if !strings.HasPrefix(issuer, "https://") {
		return nil
	}
	for _, address := range []string{m.AuthorizationEndpoint, m.TokenEndpoint, m.RevocationEndpoint, m.UserinfoEndpoint, m.DeviceEndpoint, m.IntrospectionEndpoint, m.PushedEndpoint} {
		if address != "" && !strings.HasPrefix(address, "https://") {
			return wrongOption(optionIssuer, "the issuer's metadata name an endpoint without TLS", remedyAddress)
		}
	}
	return nil
}

// undiscovered is why there are no metadata. status is that of the last reply, zero if
// there was none.
func undiscovered(ctx context.Context, err error, status int) error {
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || ctx.Err() != nil {
		return err
	}
	e.Option = optionIssuer
	switch {
	case status == 0:
		e.Kind, e.Remedy = provider.Blocked, remedyUnreachable
	case e.Kind == provider.Transient:
		e.Remedy = remedyOutage
	case status == http.StatusOK:
		e.Remedy = remedyNotJSON
	default:
		e.Remedy = remedyNoMetadata
	}
	return e
}

// lastReply is a transport that keeps the last reply, to explain its errors.
type lastReply struct {
	next   http.RoundTripper
	status int
	body   []byte
}

// RoundTrip implements http.RoundTripper.
func (l *lastReply) RoundTrip(req *http.Request) (*http.Response, error) {
	l.status, l.body = 0, nil
	resp, err := l.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	l.status, l.body = resp.StatusCode, body
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// metadata are those of the last reply; nil if it holds none.
func (l *lastReply) metadata() *oauth.Metadata {
	m := &oauth.Metadata{}
	if l.status != http.StatusOK || json.Unmarshal(l.body, m) != nil || m.Issuer == "" {
		return nil
	}
	return m
}
