package provider

import (
	"context"
	"log/slog"
)

type loggerKey struct{}

// WithLogger is called by whoever runs a provider: Logger returns log from then on.
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
