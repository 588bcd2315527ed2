package providerplugin

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/evergrant/evergrant/sdk/provider"
)

// RequestIDKey is the gRPC metadata by which a host names the request that an
// operation is part of. Beside it comes traceparent (W3C Trace Context) if the host
// collects traces. A plugin has no network to send spans by, so the host makes the
// span of a call.
const RequestIDKey = "x-request-id"

// newLogger writes lines in the form of hclog's JSON, which hosts understand.
func newLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) > 0 {
			return a
		}
		switch a.Key {
		case slog.TimeKey:
			a.Key = "@timestamp"
		case slog.MessageKey:
			a.Key = "@message"
		case slog.LevelKey:
			return slog.String("@level", strings.ToLower(a.Value.String()))
		}
		return a
	}}))
}

// logging puts the logger of an operation on its context.
func logging(ctx context.Context, log *slog.Logger) context.Context {
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		if ids := md.Get(RequestIDKey); len(ids) == 1 && ids[0] != "" {
			log = log.With("request_id", clean(ids[0], 64))
		}
	}
	return provider.WithLogger(ctx, log)
}
