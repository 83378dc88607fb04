// Package logger is a log/slog handler for a scale handler and a proxy that run
// in a cluster: JSON lines or a console format, secrets masked, duplicates
// counted instead of repeated, fields carried by the context, and errors
// reported to a second place as OpenTelemetry JSON lines.
//
// Every record is stamped by the clock in Options, in UTC, so that with a clock
// under control the same calls write the same bytes. Nothing runs in the
// background and nothing waits; all of it may be used concurrently.
//
// It masks by the names of attributes, groups and map keys, at any depth. It
// does not look for secrets inside texts (message included), structs and lists.
// It leaves out source positions, rotation of files and sending over a network.
package logger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"slices"

	"k8s.io/utils/clock"
)

// Format is how a record looks.
type Format string

const (
	// JSON is a JSON object for each record, as slog.JSONHandler writes it.
	JSON Format = "json"
	// Console is a line for people: time, level in five columns, message, and
	// key=value with the keys of groups before a dot.
	Console Format = "console"
)

// ParseFormat finds a Format by its name.
func ParseFormat(name string) (Format, error) {
	if f := Format(name); f == JSON || f == Console {
		return f, nil
	}
	return "", fmt.Errorf("found log format %q, expected one of json, console", name)
}

// Options is what New needs. The zero Options write nothing.
type Options struct {
	Writer io.Writer          // gets every record in one Write; nil: nothing is written
	Format Format             // JSON unless it is Console
	Level  slog.Leveler       // least level that is logged; nil: slog.LevelInfo
	Clock  clock.PassiveClock // stamps the records; nil: they keep the time that slog took
	Color  bool               // of levels and keys, on Console
	Mask   Mask
	// Sampling counts duplicates instead of writing them. The zero Sampling
	// writes everything.
	Sampling Sampling
	// Errors gets what is logged at slog.LevelError and above, after sampling;
	// nil: nobody does. A report that fails is logged, and no report is made of it.
	Errors ErrorReporter
}

// New makes a logger. Flush it before the process ends if it samples.
func New(o Options) *slog.Logger { return slog.New(NewHandler(o)) }

// NewHandler makes the handler that New uses.
func NewHandler(o Options) *Handler {
	if o.Writer == nil {
		o.Writer = io.Discard
	}
	if o.Level == nil {
		o.Level = slog.LevelInfo
	}
	var plain slog.Handler
	if o.Format == Console {
		plain = newConsole(o.Writer, o.Color)
	} else {
		plain = slog.NewJSONHandler(o.Writer, &slog.HandlerOptions{Level: slog.Level(math.MinInt)})
	}
	shared := &shared{level: o.Level, clock: o.Clock, mask: newMasker(o.Mask), errors: o.Errors}
	if o.Sampling.Window > 0 {
		shared.sampler = newSampler(o.Sampling)
	}
	shared.top = &Handler{shared: shared, inner: plain, outer: plain}
	return shared.top
}

// shared is what a handler has in common with those made from it.
type shared struct {
	level   slog.Leveler
	clock   clock.PassiveClock
	mask    *masker
	sampler *sampler
	errors  ErrorReporter
	top     *Handler // without attributes and groups
}

// Handler is a slog.Handler. Its attributes are kept twice: formatted in inner,
// which is fast, and as they are, for records that have fields of the context
// to put outside of the open groups and for reports.
type Handler struct {
	*shared
	inner  slog.Handler // with all attributes and groups
	outer  slog.Handler // with the attributes before the first group
	attrs  []slog.Attr  // those of outer
	groups []group      // that are open
	hides  bool         // the name of an open group is masked, and so is all in it
}

type group struct {
	name  string
	attrs []slog.Attr
}

// Enabled says whether records of a level are logged.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level.Level() }

// WithAttrs gives a handler that adds attributes to every record.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	masked := h.mask.all(nil, attrs, h.hides)
	with := *h
	with.inner = h.inner.WithAttrs(masked)
	if last := len(h.groups) - 1; last >= 0 {
		with.groups = slices.Clone(h.groups)
		with.groups[last].attrs = slices.Concat(h.groups[last].attrs, masked)
	} else {
		with.outer = with.inner
		with.attrs = slices.Concat(h.attrs, masked)
	}
	return &with
}

// WithGroup gives a handler that puts all later attributes into a group.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.inner = h.inner.WithGroup(name)
	with.groups = append(slices.Clip(slices.Clone(h.groups)), group{name: name})
	with.hides = h.hides || h.mask.matches(name)
	return &with
}

// Handle writes a record, unless it is a duplicate that is only counted, and
// before it the counts of duplicates whose window is over. The error is what the
// writer and the reporter say.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	h.stamp(&r)
	if h.sampler == nil || r.Time.IsZero() {
		return h.write(ctx, r, fieldsOf(ctx))
	}
	ended, passes := h.sampler.admit(r.Time, r.Level, r.Message)
	err := h.summarize(ctx, ended, r)
	if !passes {
		return err
	}
	return errors.Join(err, h.write(ctx, r, fieldsOf(ctx)))
}

// stamp leaves a zero time alone, which slog's contract says to leave out.
func (h *Handler) stamp(r *slog.Record) {
	if !r.Time.IsZero() && h.clock != nil {
		r.Time = h.clock.Now()
	}
	r.Time = r.Time.UTC()
}

// write masks a record and fields and gives them to the writer, and to the
// reporter if it is an error.
func (h *Handler) write(ctx context.Context, r slog.Record, fields []slog.Attr) error {
	reported := h.errors != nil && r.Level >= slog.LevelError
	if len(fields) == 0 && !reported {
		if !h.clean(&r) {
			r = with(r, h.masked(r))
		}
		return h.inner.Handle(ctx, r)
	}
	own := h.masked(r)
	fields = h.mask.all(nil, fields, false)
	var err error
	if reported {
		err = h.report(ctx, with(r, slices.Concat(h.attrs, fields, h.nested(own))))
	}
	if len(fields) == 0 || len(h.groups) == 0 {
		return errors.Join(err, h.inner.Handle(ctx, with(r, append(fields, own...))))
	}
	return errors.Join(err, h.outer.Handle(ctx, with(r, append(fields, h.nested(own)...))))
}

func (h *Handler) report(ctx context.Context, r slog.Record) error {
	err := h.errors.Report(ctx, r)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("reporting an error: %w", err)
	failure := slog.NewRecord(r.Time, slog.LevelError, "an error could not be reported", 0)
	failure.AddAttrs(slog.Any("err", err))
	return errors.Join(err, h.top.inner.Handle(ctx, failure))
}

// clean says that nothing in a record needs masking, which it is quicker to find
// out than to copy the record.
func (h *Handler) clean(r *slog.Record) bool {
	if h.hides {
		return r.NumAttrs() == 0
	}
	clean := true
	r.Attrs(func(a slog.Attr) bool {
		clean = h.mask.clean(a)
		return clean
	})
	return clean
}

// masked lists a record's own attributes, masked.
func (h *Handler) masked(r slog.Record) []slog.Attr {
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, h.mask.attr(a, h.hides))
		return true
	})
	return attrs
}

// nested puts attributes into the open groups.
func (h *Handler) nested(attrs []slog.Attr) []slog.Attr {
	for _, g := range slices.Backward(h.groups) {
		attrs = []slog.Attr{slog.GroupAttrs(g.name, slices.Concat(g.attrs, attrs)...)}
	}
	return attrs
}

// with is a record with other attributes.
func with(r slog.Record, attrs []slog.Attr) slog.Record {
	changed := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	changed.AddAttrs(attrs...)
	return changed
}
