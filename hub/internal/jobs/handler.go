package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/hashicorp/go-hclog"
)

// handler adapts the hub's logger to slog for River, from level Warn on.
type handler struct {
	log   hclog.Logger
	attrs []any
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements slog.Handler.
func (h *handler) Handle(_ context.Context, record slog.Record) error {
	args, stopping := append([]any{}, h.attrs...), false
	record.Attrs(func(a slog.Attr) bool {
		value := a.Value.Resolve().Any()
		stopping = stopping || strings.Contains(fmt.Sprint(value), context.Canceled.Error())
		args = append(args, a.Key, value)
		return true
	})
	if stopping {
		return nil // what a stop interrupts is done by the next one
	}
	if record.Level >= slog.LevelError {
		h.log.Error(record.Message, args...)
	} else {
		h.log.Warn(record.Message, args...)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := append([]any{}, h.attrs...)
	for _, a := range attrs {
		more = append(more, a.Key, a.Value.Resolve().Any())
	}
	return &handler{log: h.log, attrs: more}
}

// WithGroup implements slog.Handler. Groups are dropped.
func (h *handler) WithGroup(string) slog.Handler { return h }
