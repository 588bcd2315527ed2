package egress

import (
	"errors"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/evergrant/evergrant/hub/internal/tracing"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// methodOf is the method for a trace: a plugin may write anything there.
func methodOf(req *providerplugin.HTTPRequest) string {
	switch method := strings.ToUpper(req.Method); method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return method
	}
	return "_OTHER"
}

// endSpan ends the span of a request with its status, or its failure. No trace header is
// sent to the service.
func endSpan(span trace.Span, resp *providerplugin.HTTPResponse, err error) {
	if err == nil {
		span.SetAttributes(attribute.Int("http.response.status_code", resp.Status))
		if resp.Status >= http.StatusBadRequest {
			tracing.End(span, "status")
			return
		}
		tracing.End(span, "")
		return
	}
	failure := "no reply"
	if private, ok := errors.AsType[*PrivateError](err); ok && private != nil {
		failure = "refused"
	} else if e, ok := errors.AsType[*providerplugin.RelayError](err); ok && e.Refused {
		failure = "refused"
	}
	tracing.End(span, failure)
}
