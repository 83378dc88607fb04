package logger

import (
	"context"
	"encoding"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// console writes
//
//	2026-01-02T15:04:05.678Z INFO  scaled from zero service=shop replicas=1
//
// with texts quoted where they would be taken for something else.
type console struct {
	*sink
	prefix string // before the keys: the open groups, each with a dot
	attrs  []byte // formatted
}

// sink is where all consoles made from one write to.
type sink struct {
	color bool
	mu    sync.Mutex
	w     io.Writer
}

func newConsole(w io.Writer, color bool) *console { return &console{sink: &sink{color: color, w: w}} }

const (
	consoleTime = "2006-01-02T15:04:05.000Z07:00"
	levelWidth  = 5
	colorReset  = "\x1b[0m"
	colorKey    = "\x1b[2m" // faint
)

var lines = sync.Pool{New: func() any { return new([]byte) }}

// maxPooledLine keeps a rare long line from being held for ever.
const maxPooledLine = 16 << 10

// Enabled leaves the level to Handler.
func (c *console) Enabled(context.Context, slog.Level) bool { return true }

func (c *console) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *c
	with.attrs = slices.Clip(slices.Clone(c.attrs))
	for _, a := range attrs {
		with.attrs = c.appendAttr(with.attrs, c.prefix, a)
	}
	return &with
}

func (c *console) WithGroup(name string) slog.Handler {
	with := *c
	with.prefix += name + "."
	return &with
}

func (c *console) Handle(_ context.Context, r slog.Record) error {
	pooled := lines.Get().(*[]byte)
	line := (*pooled)[:0]
	if !r.Time.IsZero() {
		line = append(r.Time.AppendFormat(line, consoleTime), ' ')
	}
	line = append(c.appendLevel(line, r.Level), ' ')
	line = appendMessage(line, r.Message)
	line = append(line, c.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		line = c.appendAttr(line, c.prefix, a)
		return true
	})
	line = append(line, '\n')
	c.mu.Lock()
	_, err := c.w.Write(line)
	c.mu.Unlock()
	if cap(line) <= maxPooledLine {
		*pooled = line
		lines.Put(pooled)
	}
	return err
}

// appendLevel writes a level in five columns: INFO, WARN+2 as W+2.
func (c *console) appendLevel(line []byte, level slog.Level) []byte {
	name, color := level.String(), "\x1b[31m"
	switch {
	case level < slog.LevelInfo:
		color = "\x1b[90m"
	case level < slog.LevelWarn:
		color = "\x1b[32m"
	case level < slog.LevelError:
		color = "\x1b[33m"
	}
	if i := strings.IndexAny(name, "+-"); i > 0 {
		name = name[:1] + name[i:]
	}
	if c.color {
		line = append(line, color...)
	}
	line = append(line, name...)
	for range levelWidth - len(name) {
		line = append(line, ' ')
	}
	if c.color {
		line = append(line, colorReset...)
	}
	return line
}

// appendMessage keeps a message on its line: what cannot be printed is escaped.
func appendMessage(line []byte, text string) []byte {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(text) {
		quoted := strconv.Quote(text)
		return append(line, quoted[1:len(quoted)-1]...)
	}
	return append(line, text...)
}

func (c *console) appendAttr(line []byte, prefix string, a slog.Attr) []byte {
	a.Value = a.Value.Resolve()
	if a.Equal(slog.Attr{}) {
		return line
	}
	if a.Value.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range a.Value.Group() {
			line = c.appendAttr(line, prefix, member)
		}
		return line
	}
	line = append(line, ' ')
	if c.color {
		line = append(line, colorKey...)
	}
	line = append(appendKey(line, prefix, a.Key), '=')
	if c.color {
		line = append(line, colorReset...)
	}
	return appendValue(line, a.Value)
}

func appendKey(line []byte, prefix, key string) []byte {
	if isPlain(prefix) && isPlain(key) || prefix == "" && isPlain(key) {
		return append(append(line, prefix...), key...)
	}
	return strconv.AppendQuote(line, prefix+key)
}

func appendValue(line []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindInt64:
		return strconv.AppendInt(line, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(line, v.Uint64(), 10)
	case slog.KindBool:
		return strconv.AppendBool(line, v.Bool())
	case slog.KindTime:
		return v.Time().AppendFormat(line, time.RFC3339Nano)
	case slog.KindAny:
		return appendText(line, textOf(v.Any()))
	}
	return appendText(line, v.String())
}

func appendText(line []byte, text string) []byte {
	if isPlain(text) {
		return append(line, text...)
	}
	return strconv.AppendQuote(line, text)
}

// isPlain says that a text needs no quotes to be told from what is around it.
func isPlain(text string) bool {
	if text == "" || !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if r == ' ' || r == '=' || r == '"' || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// textOf is any value as text. A value whose methods panic must not take the
// process down because it was logged.
func textOf(value any) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprintf("!PANIC: %v", r)
		}
	}()
	switch v := value.(type) {
	case error:
		return fmt.Sprint(v)
	case encoding.TextMarshaler:
		if marshaled, err := v.MarshalText(); err == nil {
			return string(marshaled)
		}
	}
	return fmt.Sprintf("%+v", value)
}
