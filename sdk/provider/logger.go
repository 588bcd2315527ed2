package provider

import (
	"context"
	"log/slog"
)

type loggerKey struct{}

// WithLogger sets the logger that Logger returns. The host of a provider calls it.
func WithLogger(ctx context.Context, log *slog.Logger) context.Context {
	return context.WithValue(ctx, loggerKey{}, log)
}

// Logger is the log of an operation, for providers: its lines appear in the hub's log
// and carry the name of the request that the operation is part of. Never log tokens,
// secrets, bodies or addresses with a query.
func Logger(ctx context.Context) *slog.Logger {
	if log, ok := ctx.Value(loggerKey{}).(*slog.Logger); ok {
		return log
	}
	return slog.Default()
}
