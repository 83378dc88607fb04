package logger

import (
	"context"
	"log/slog"
	"slices"
)

type fieldsKey struct{}

// With gives a context whose fields are added to every record that is logged
// with it, such as by slog.Logger.InfoContext, after those it has already. They
// stand outside of the logger's groups: a request's id is request=7 whoever
// logs.
func With(ctx context.Context, attrs ...slog.Attr) context.Context {
	return context.WithValue(ctx, fieldsKey{}, slices.Concat(fieldsOf(ctx), attrs))
}

// Fields lists a context's fields.
func Fields(ctx context.Context) []slog.Attr { return slices.Clone(fieldsOf(ctx)) }

func fieldsOf(ctx context.Context) []slog.Attr {
	fields, _ := ctx.Value(fieldsKey{}).([]slog.Attr)
	return fields
}
