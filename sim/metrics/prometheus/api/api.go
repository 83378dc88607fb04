// Package api is the HTTP API of the simulated Prometheus: /api/v1/query and
// /api/v1/query_range, by GET or by a form that is posted, at an instant of virtual
// time. What asks a real server can ask this one, over a listener or through
// Transport without any.
//
// Answers are those of the real server, byte for byte: results, status codes and
// kinds of errors. The words of errors about parameters are our own, and elements
// stand in the order of the engine. It ignores timeout, since no answer depends on
// how long it takes, and gives no statistics.
//
// Source: Prometheus 3, package web/api/v1 and its documentation of the HTTP API.
package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/scalelab/scalelab/sim/metrics/prometheus"
)

// maxSteps is how many points of a series one answer can have.
const maxSteps = 11_000

// failure is an answer that is no success.
type failure struct {
	status int
	kind   string // errorType
	text   string
}

// bad is the failure of a parameter.
func bad(parameter string, err error) *failure {
	return &failure{http.StatusBadRequest, "bad_data", fmt.Sprintf("invalid parameter %q: %s", parameter, err)}
}

// Handler answers requests from the server's samples, one at a time; the server must
// not be used meanwhile. now is the instant of the clock that scrapes, and of queries
// that name none.
func Handler(server *prometheus.Server, now func() time.Time) http.Handler {
	h := &handler{server: server, now: now}
	mux := http.NewServeMux()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		mux.HandleFunc(method+" /api/v1/query", h.serve(h.instant))
		mux.HandleFunc(method+" /api/v1/query_range", h.serve(h.steps))
	}
	return mux
}

type handler struct {
	server *prometheus.Server
	now    func() time.Time
	one    sync.Mutex
}

// preparation makes a query of a request's parameters.
type preparation func(p parameters) (promql.Query, *failure)

func (h *handler) serve(prepare preparation) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h.one.Lock()
		defer h.one.Unlock()
		status := http.StatusOK
		body, failed := h.answer(r, prepare)
		if failed != nil {
			status, body = failed.status, failed.encode()
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(body) // whoever hung up gets nothing
	}
}

func (h *handler) answer(r *http.Request, prepare preparation) ([]byte, *failure) {
	p := parameters{r.FormValue}
	limit, err := p.limit()
	if err != nil {
		return nil, bad("limit", err)
	}
	if _, err := p.duration("timeout", 0); err != nil {
		return nil, bad("timeout", err)
	}
	query, failed := prepare(p)
	if failed != nil {
		return nil, failed
	}
	defer query.Close()
	result := query.Exec(r.Context())
	if result.Err != nil {
		return nil, failureOf(result.Err)
	}
	warnings, infos := result.Warnings.AsStrings(r.FormValue("query"), 0, 0)
	warnings, infos = firstNotes(warnings, "warning"), firstNotes(infos, "info")
	if truncate(result, limit) {
		warnings = append(warnings, "results truncated due to limit")
	}
	return encode(result.Value, warnings, infos), nil
}

// instant is /api/v1/query.
func (h *handler) instant(p parameters) (promql.Query, *failure) {
	now := h.now()
	at, err := p.time("time", now)
	if err != nil {
		return nil, bad("time", err)
	}
	options, err := p.options()
	if err != nil {
		return nil, bad("lookback_delta", err)
	}
	query, err := h.server.Instant(now, at, p.get("query"), options)
	if err != nil {
		return nil, bad("query", err)
	}
	return query, nil
}

// steps is /api/v1/query_range.
func (h *handler) steps(p parameters) (promql.Query, *failure) {
	start, err := p.time("start", time.Time{})
	if err != nil {
		return nil, bad("start", err)
	}
	end, err := p.time("end", time.Time{})
	if err != nil {
		return nil, bad("end", err)
	}
	if end.Before(start) {
		return nil, bad("end", errors.New("found an instant before start, expected none"))
	}
	step, err := p.duration("step", 0)
	switch {
	case err != nil:
		return nil, bad("step", err)
	case step <= 0:
		return nil, bad("step", fmt.Errorf("found %q, expected more than 0", p.get("step")))
	case end.Sub(start)/step > maxSteps:
		return nil, bad("step", fmt.Errorf("found more than %d steps, expected fewer", maxSteps))
	}
	options, err := p.options()
	if err != nil {
		return nil, bad("lookback_delta", err)
	}
	query, err := h.server.Range(h.now(), start, end, step, p.get("query"), options)
	if err != nil {
		return nil, bad("query", err)
	}
	return query, nil
}

// failureOf is what the evaluation's errors come to.
func failureOf(err error) *failure {
	f := &failure{http.StatusUnprocessableEntity, "execution", err.Error()}
	if _, canceled := errors.AsType[promql.ErrQueryCanceled](err); canceled || errors.Is(err, context.Canceled) {
		f.status, f.kind = 499, "canceled"
	}
	return f
}

// maxNotes is how many warnings, and how many infos, one answer has.
const maxNotes = 10

// firstNotes brings notes, which come in the order of a map, into one of their own,
// and counts those that are too many.
func firstNotes(notes []string, kind string) []string {
	slices.Sort(notes)
	if more := len(notes) - maxNotes; more > 0 {
		notes = append(notes[:maxNotes], fmt.Sprintf("%d more %s annotations omitted", more, kind))
	}
	return notes
}

// truncate cuts a result to a number of series, and says whether there were more;
// 0 is no limit.
func truncate(result *promql.Result, limit int) bool {
	switch v := result.Value.(type) {
	case promql.Vector:
		if limit > 0 && len(v) > limit {
			result.Value = v[:limit]
			return true
		}
	case promql.Matrix:
		if limit > 0 && len(v) > limit {
			result.Value = v[:limit]
			return true
		}
	}
	return false
}
