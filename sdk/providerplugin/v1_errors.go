package providerplugin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
	"github.com/evergrant/evergrant/sdk/provider"
)

// PluginError is an operation that failed because of the plugin, not of the
// service: its process died, it broke the protocol, it does not serve the
// operation. The hub may run the operation again.
type PluginError struct {
	// Gone is set if the process or its connection is gone.
	Gone bool
	// NotServed is set if the provider does not serve the grant.
	NotServed bool
	Message   string
}

// Error implements error.
func (e *PluginError) Error() string { return e.Message }

var kindsV1 = map[provider.Kind]struct {
	kind providerv1.ErrorKind
	code codes.Code
}{
	provider.Internal:                {providerv1.ErrorKind_ERROR_KIND_UNSPECIFIED, codes.Internal},
	provider.Transient:               {providerv1.ErrorKind_ERROR_KIND_TRANSIENT, codes.Unavailable},
	provider.Blocked:                 {providerv1.ErrorKind_ERROR_KIND_BLOCKED, codes.FailedPrecondition},
	provider.ReauthorizationRequired: {providerv1.ErrorKind_ERROR_KIND_REAUTHORIZATION_REQUIRED, codes.Unauthenticated},
	provider.Denied:                  {providerv1.ErrorKind_ERROR_KIND_DENIED, codes.PermissionDenied},
}

// v1Status turns what a provider returned into a status with a detail.
func v1Status(err error) error {
	if errors.Is(err, errNotServed) {
		return status.Error(codes.Unimplemented, "the provider does not serve this operation")
	}
	if e, ok := errors.AsType[*panicError](err); ok {
		return status.Error(codes.Internal, e.Error())
	}
	e, ok := errors.AsType[*provider.Error](err)
	if !ok {
		e = withoutMeaning(err)
	}
	wire := kindsV1[e.Kind]
	detail := &providerv1.ErrorDetail{
		Kind: wire.kind, Code: clean(e.Code, 100), Message: clean(e.Message, 1000),
		HttpStatus: int32(min(max(e.HTTPStatus, 0), 999)), Option: clean(e.Option, 100),
		Remedy:   v1Text(provider.Text{EN: clean(e.Remedy.EN, 500), RU: clean(e.Remedy.RU, 1000)}),
		TooEarly: e.TooEarly, RefreshToken: e.RefreshToken,
	}
	if e.RetryAfter > 0 {
		detail.RetryAfter = durationpb.New(e.RetryAfter)
	}
	st, detailErr := status.New(wire.code, detail.GetMessage()).WithDetails(detail)
	if detailErr != nil {
		return status.Error(codes.Internal, "the error could not be encoded")
	}
	return st.Err()
}

// withoutMeaning gives an error that is no *provider.Error the kind it deserves.
// Its text may hold anything, a URL with a secret among it, so it stays behind.
func withoutMeaning(err error) *provider.Error {
	if failure, ok := errors.AsType[*RelayError](err); ok {
		return provider.Errorf(provider.Transient, "", "%s", failure.Message)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return provider.Errorf(provider.Transient, "timeout", "the service did not answer in the time for it")
	}
	return provider.Errorf(provider.Internal, "", "the provider failed without saying what it means (%T)", err)
}

// v1ErrorFrom turns a status into a *provider.Error or a *PluginError.
func v1ErrorFrom(err error) error {
	st, ok := status.FromError(err)
	if !ok {
		return &PluginError{Message: "the plugin broke the protocol: " + clean(err.Error(), 300)}
	}
	for _, detail := range st.Details() {
		if d, ok := detail.(*providerv1.ErrorDetail); ok {
			return v1ErrorDetail(d)
		}
	}
	switch st.Code() {
	case codes.Unavailable:
		return &PluginError{Gone: true, Message: "the plugin's process went away during the operation"}
	case codes.Canceled, codes.DeadlineExceeded:
		return provider.Errorf(provider.Transient, "timeout", "there was no answer in the time for it, neither of the service nor of its plugin")
	case codes.Unimplemented:
		return &PluginError{NotServed: true, Message: "the provider does not serve this operation"}
	default:
		return &PluginError{Message: fmt.Sprintf("the plugin failed (%s): %s", st.Code(), clean(st.Message(), 300))}
	}
}

func v1ErrorDetail(d *providerv1.ErrorDetail) *provider.Error {
	e := &provider.Error{
		Code: clean(d.GetCode(), 100), Message: clean(d.GetMessage(), 1000), HTTPStatus: int(d.GetHttpStatus()),
		Option:   clean(d.GetOption(), 100),
		Remedy:   v1TextWithin(d.GetRemedy(), 500),
		TooEarly: d.GetTooEarly(), RefreshToken: d.GetRefreshToken(),
	}
	for kind, wire := range kindsV1 {
		if wire.kind == d.GetKind() {
			e.Kind = kind
		}
	}
	if d.GetRetryAfter() != nil {
		e.RetryAfter = max(0, d.GetRetryAfter().AsDuration())
	}
	return e
}

// clean makes text from the other side fit to be shown: valid UTF-8, one line,
// no control characters, at most n bytes.
func clean(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}
