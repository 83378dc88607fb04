package logger

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
)

// ErrorReporter is told of every record at slog.LevelError and above. The record
// has all attributes, those of the logger and of the context too, in their
// groups and masked. Report is called concurrently and before the record is
// written to the log; it should not block.
type ErrorReporter interface {
	Report(ctx context.Context, record slog.Record) error
}

// OTLP reports errors as lines of OpenTelemetry's protocol in JSON, each of
// which is a complete LogsData message, as the OpenTelemetry Collector's file
// exporter writes and its otlpjsonfile receiver reads them
// (opentelemetry.io/docs/specs/otel/protocol/file-exporter).
//
// Severity numbers are slog levels + 9, so that DEBUG is 5, INFO 9, WARN 13 and
// ERROR 17. The attributes traceId and spanId (or trace_id and span_id) outside
// of groups, if they are 32 and 16 hexadecimal digits, become the record's.
type OTLP struct {
	resource otlpResource
	closer   io.Closer // nil unless it opened the writer itself

	mu sync.Mutex
	w  io.Writer
}

// NewOTLP reports to a writer, in one Write for each record. The attributes say
// what the errors come from, such as service.name.
func NewOTLP(w io.Writer, resource ...slog.Attr) (*OTLP, error) {
	if w == nil {
		return nil, errors.New("making an error reporter: found no writer, expected one")
	}
	return &OTLP{w: w, resource: otlpResource{Attributes: otlpAttributes(resource)}}, nil
}

// OpenOTLP reports to a file, which it appends to, or makes so that only its
// owner can read it.
func OpenOTLP(name string, resource ...slog.Attr) (*OTLP, error) {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making an error reporter: %w", err)
	}
	return &OTLP{w: file, closer: file, resource: otlpResource{Attributes: otlpAttributes(resource)}}, nil
}

// Close closes the file that OpenOTLP opened.
func (o *OTLP) Close() error {
	if o.closer == nil {
		return nil
	}
	return o.closer.Close()
}

type (
	otlpLogs struct {
		ResourceLogs [1]otlpResourceLogs `json:"resourceLogs"`
	}
	otlpResourceLogs struct {
		Resource  otlpResource     `json:"resource"`
		ScopeLogs [1]otlpScopeLogs `json:"scopeLogs"`
	}
	otlpResource struct {
		Attributes []otlpAttribute `json:"attributes,omitempty"`
	}
	otlpScopeLogs struct {
		LogRecords [1]otlpRecord `json:"logRecords"`
	}
	otlpRecord struct {
		TimeUnixNano   string          `json:"timeUnixNano,omitempty"`
		SeverityNumber int             `json:"severityNumber"`
		SeverityText   string          `json:"severityText"`
		Body           otlpValue       `json:"body"`
		Attributes     []otlpAttribute `json:"attributes,omitempty"`
		TraceID        string          `json:"traceId,omitempty"`
		SpanID         string          `json:"spanId,omitempty"`
	}
)

// Report writes a record.
func (o *OTLP) Report(_ context.Context, r slog.Record) error {
	const severityOfInfo, leastSeverity, mostSeverity = 9, 1, 24
	record := otlpRecord{
		SeverityNumber: min(max(int(r.Level)+severityOfInfo, leastSeverity), mostSeverity),
		SeverityText:   r.Level.String(),
		Body:           otlpString(r.Message),
	}
	if !r.Time.IsZero() {
		record.TimeUnixNano = strconv.FormatInt(r.Time.UnixNano(), 10)
	}
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		switch id := strings.ToLower(a.Value.String()); {
		case (a.Key == "traceId" || a.Key == "trace_id") && isID(id, 16):
			record.TraceID = id
		case (a.Key == "spanId" || a.Key == "span_id") && isID(id, 8):
			record.SpanID = id
		default:
			attrs = append(attrs, a)
		}
		return true
	})
	record.Attributes = otlpAttributes(attrs)
	logs := otlpLogs{[1]otlpResourceLogs{{Resource: o.resource, ScopeLogs: [1]otlpScopeLogs{{[1]otlpRecord{record}}}}}}
	line, err := json.Marshal(logs)
	if err != nil {
		return fmt.Errorf("encoding a log record: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing a log record: %w", err)
	}
	return nil
}

// isID says whether a text is so many bytes in hexadecimal that are not all 0.
func isID(text string, size int) bool {
	id, err := hex.DecodeString(text)
	return err == nil && len(id) == size && strings.Trim(text, "0") != ""
}
