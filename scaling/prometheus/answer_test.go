package prometheus

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"
)

func jsonOf(value any) ([]byte, error) { return json.Marshal(value) }

// Prometheus' own engine answers, in Prometheus' own JSON, over loopback.
func TestAgainstTheRealEngine(t *testing.T) {
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1000, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{}),
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
	})
	nothing := storage.QueryableFunc(func(int64, int64) (storage.Querier, error) { return storage.NoopQuerier(), nil })
	server := func(w http.ResponseWriter, r *http.Request) {
		at, err := time.Parse(time.RFC3339, r.FormValue("time"))
		assert.NoError(t, err)
		query, err := engine.NewInstantQuery(r.Context(), nothing, nil, r.FormValue("query"), at)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			body, err := jsonOf(map[string]string{"status": "error", "errorType": "bad_data", "error": err.Error()})
			assert.NoError(t, err)
			_, _ = w.Write(body)
			return
		}
		defer query.Close()
		result := query.Exec(r.Context())
		warnings, infos := result.Warnings.AsStrings(r.FormValue("query"), 0, 0)
		body, err := jsonOf(map[string]any{
			"status": "success", "warnings": warnings, "infos": infos,
			"data": map[string]any{"resultType": result.Value.Type(), "result": result.Value},
		})
		assert.NoError(t, err)
		_, _ = w.Write(body)
	}
	for expr, want := range map[string]any{
		`vector(0.25)`:      0.25,
		`scalar(vector(3))`: 3.0,
		`7`:                 7.0,
		`time()`:            float64(now.Unix()),
		`vector(1) / 3`:     1.0 / 3,
		`vector(0) / 0`:     math.NaN(),
		`label_replace(vector(-1), "pod", "a\"b", "", "")`:                     -1.0,
		`sum(rate(http_requests_total[1m])) or vector(0)`:                      0.0,
		`min_over_time((max(up{container="prometheus"}) or vector(0))[900s:])`: 0.0,
		`1e300 * 1e300`:  "found the value +Inf, expected a finite one",
		`-1 / vector(0)`: "found the value -Inf, expected a finite one",
		`up`:             "the query's result is empty",
		`vector(1) or label_replace(vector(2), "pod", "a", "", "")`: "found 2 elements, expected one",
		`"text"`:                 "found a string, expected a vector or a scalar",
		`vector(1)[5m:1m]`:       "found a matrix, expected a vector or a scalar",
		`quantile(2, vector(1))`: `found a warning, so that data may be missing: "PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"`,
		`sum(`:                   `found status 400, expected 200: "bad_data": "1:5: parse error: unclosed left parenthesis"`,
	} {
		t.Run(expr, func(t *testing.T) {
			s := scalerFor(t, server, func(o *Options) {
				o.Query = expr
				o.Clock = clocktesting.NewFakePassiveClock(now)
			})
			got, err := s.query(t.Context(), expr)
			switch want := want.(type) {
			case string:
				assert.EqualError(t, err, fmt.Sprintf("prometheus: query %q to %s: %s", expr, s.options.ServerAddress, want))
			case float64:
				require.NoError(t, err)
				if math.IsNaN(want) {
					assert.True(t, math.IsNaN(got))
				} else {
					assert.Equal(t, want, got)
				}
			}
		})
	}
}

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		vector("0"), vector("NaN"), vector("0x1p-2"), `{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`,
		`null`, `[]`, `{"data":{"result":[[]]}}`, `{"status":"success","data":{"resultType":"vector","result":[{"value":[]}]}}`,
	} {
		f.Add(200, []byte(seed))
	}
	f.Add(500, []byte(`{"status":"error","errorType":"a","error":"hunter2"}`))
	f.Add(200, []byte(`{"warnings":["\"hunter2"],"status":"success"}`))
	o := options("http://prometheus")
	o.Authorization = "hunter2"
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		s, err := New(o)
		require.NoError(t, err)
		refused := s.refusal(status, body)
		require.Error(t, refused)
		require.NotContains(t, refused.Error(), "hunter2")
		value, err := s.read(body)
		if err != nil {
			require.Zero(t, value)
			require.NotContains(t, err.Error(), "hunter2")
			require.Less(t, len(err.Error()), 10*maxQuoted+200)
			return
		}
		require.False(t, math.IsInf(value, 0))
	})
}
