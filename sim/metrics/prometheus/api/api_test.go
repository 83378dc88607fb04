package api

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	live "github.com/scalelab/scalelab/scaling/prometheus"
	"github.com/scalelab/scalelab/sim/metrics/prometheus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC) // 1767571200

// scraped has two pods with 10 and 20 requests per second, scraped every 30 s for
// two minutes; now is five seconds later.
func scraped(t testing.TB) http.Handler {
	s, err := prometheus.New(30 * time.Second)
	require.NoError(t, err)
	s.Keep(time.Hour)
	one, two := s.Series("x_total", "pod", "a"), s.Series("x_total", "pod", "b<c")
	up := s.Series("up", "container", "prometheus")
	for i := range 5 {
		s.Append(start.Add(time.Duration(i)*30*time.Second), []prometheus.Sample{{Series: up, Value: 1},
			{Series: one, Value: float64(300 * i)}, {Series: two, Value: float64(600 * i)}})
	}
	return Handler(s, func() time.Time { return start.Add(125 * time.Second) })
}

func get(t testing.TB, h http.Handler, path string, form url.Values) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path+"?"+form.Encode(), nil))
	return w.Code, w.Body.String()
}

func TestAnswers(t *testing.T) {
	h := scraped(t)
	for _, c := range []struct {
		what, path string
		form       url.Values
		want       string
	}{
		{"a vector, now", "query", url.Values{"query": {`x_total`}},
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"x_total","pod":"a"},"value":[1767571325,"1200"]},{"metric":{"__name__":"x_total","pod":"b<c"},"value":[1767571325,"2400"]}]}}`},
		{"at an instant", "query", url.Values{"query": {`sum(x_total)`}, "time": {"1767571230.05"}},
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1767571230.050,"900"]}]}}`},
		{"at an instant in RFC 3339", "query", url.Values{"query": {`sum(x_total)`}, "time": {"2026-01-05T00:01:00.1+00:00"}},
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1767571260.100,"1800"]}]}}`},
		{"nothing", "query", url.Values{"query": {`y`}}, `{"status":"success","data":{"resultType":"vector","result":[]}}`},
		{"a scalar", "query", url.Values{"query": {`1/3`}}, `{"status":"success","data":{"resultType":"scalar","result":[1767571325,"0.3333333333333333"]}}`},
		{"a string", "query", url.Values{"query": {`"<a>"`}}, `{"status":"success","data":{"resultType":"string","result":[1767571325,"\u003ca\u003e"]}}`},
		{"a range of samples", "query", url.Values{"query": {`x_total{pod="a"}[1m]`}},
			`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"x_total","pod":"a"},"values":[[1767571290,"900"],[1767571320,"1200"]]}]}}`},
		{"numbers that are none", "query", url.Values{"query": {`vector(-1/0)`}}, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1767571325,"-Inf"]}]}}`},
		{"a tiny number before 1970", "query", url.Values{"query": {`vector(1e-7)`}, "time": {"-1.5"}}, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[-1.500,"1e-07"]}]}}`},
		{"steps", "query_range", url.Values{"query": {`sum(rate(x_total[1m]))`}, "start": {"1767571260"}, "end": {"1767571320"}, "step": {"30"}},
			`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1767571260,"30"],[1767571290,"30"],[1767571320,"30"]]}]}}`},
		{"steps in words", "query_range", url.Values{"query": {`2`}, "start": {"2026-01-05T00:00:00Z"}, "end": {"2026-01-05T00:01:00Z"}, "step": {"1m"}},
			`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1767571200,"2"],[1767571260,"2"]]}]}}`},
		{"at most one series", "query", url.Values{"query": {`x_total`}, "limit": {"1"}},
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"x_total","pod":"a"},"value":[1767571325,"1200"]}]},"warnings":["results truncated due to limit"]}`},
		{"at most one series of steps", "query_range", url.Values{"query": {`x_total`}, "start": {"1767571260"}, "end": {"1767571260"}, "step": {"1"}, "limit": {"1"}},
			`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"x_total","pod":"a"},"values":[[1767571260,"600"]]}]},"warnings":["results truncated due to limit"]}`},
		{"a short look back", "query", url.Values{"query": {`x_total`}, "lookback_delta": {"4s"}, "timeout": {"5s"}}, `{"status":"success","data":{"resultType":"vector","result":[]}}`},
	} {
		t.Run(c.what, func(t *testing.T) {
			status, body := get(t, h, "/api/v1/"+c.path, c.form)
			assert.Equal(t, http.StatusOK, status)
			assert.Equal(t, c.want, body)
		})
	}
	_, body := get(t, h, "/api/v1/query", url.Values{"query": {`rate(up[1m])`}})
	assert.Contains(t, body, `]}]},"infos":["PromQL info: metric might not be a counter`)
}

func TestManyNotes(t *testing.T) {
	var parts []string
	for _, name := range strings.Split("a b c d e f g h i j k l", " ") {
		parts = append(parts, "count(rate("+name+"[1m]))")
	}
	s, err := prometheus.New(30 * time.Second)
	require.NoError(t, err)
	s.Keep(time.Hour)
	var samples []prometheus.Sample
	for _, name := range strings.Split("a b c d e f g h i j k l", " ") {
		samples = append(samples, prometheus.Sample{Series: s.Series(name), Value: 1})
	}
	s.Append(start, samples)
	s.Append(start.Add(30*time.Second), samples)
	h := Handler(s, func() time.Time { return start.Add(30 * time.Second) })
	_, body := get(t, h, "/api/v1/query", url.Values{"query": {strings.Join(parts, "+")}})
	assert.Contains(t, body, `,"2 more info annotations omitted"]}`)
	assert.Less(t, strings.Index(body, `total/_sum/_count/_bucket: \"a\"`), strings.Index(body, `total/_sum/_count/_bucket: \"j\"`))
	assert.NotContains(t, body, `\"k\"`)
}

func TestFailures(t *testing.T) {
	h := scraped(t)
	const steps = "query_range"
	valid := func(more ...string) url.Values {
		form := url.Values{"query": {"x_total"}, "start": {"0"}, "end": {"60"}, "step": {"30"}}
		for i := 0; i < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return form
	}
	for _, c := range []struct {
		what, path string
		form       url.Values
		status     int
		want       string
	}{
		{"not PromQL", "query", valid("query", "sum("), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis"}`},
		{"no query", "query", valid("query", ""), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": unknown position: parse error: no expression found in input"}`},
		{"an instant of the user's", "query", valid("time", "noon"), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"time\": found \"noon\", expected seconds from 1970 or RFC 3339"}`},
		{"an instant far away", "query", valid("time", "1e300"), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"time\": found \"1e300\", expected an instant up to the year 9999"}`},
		{"no instant", "query", valid("time", "NaN"), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"time\": found \"NaN\", expected an instant up to the year 9999"}`},
		{"a negative limit", "query", valid("limit", "-1"), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"limit\": found \"-1\", expected a number from 0 on"}`},
		{"a timeout of the user's", "query", valid("timeout", "soon"), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"timeout\": found \"soon\", expected seconds or a duration such as 1h30m"}`},
		{"a negative lookback", "query", valid("lookback_delta", "-5"), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"lookback_delta\": found a negative duration, expected none"}`},
		{"an evaluation that fails", "query", valid("query", `label_replace(x_total, "pod", "z", "", "")`), 422, `{"status":"error","errorType":"execution","error":"vector cannot contain metrics with the same labelset"}`},
		{"no start", steps, valid("start", ""), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"start\": found \"\", expected seconds from 1970 or RFC 3339"}`},
		{"no end", steps, valid("end", ""), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"end\": found \"\", expected seconds from 1970 or RFC 3339"}`},
		{"the end first", steps, valid("end", "-1"), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"end\": found an instant before start, expected none"}`},
		{"no step", steps, valid("step", ""), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"step\": found \"\", expected more than 0"}`},
		{"an endless step", steps, valid("step", "1e300"), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"step\": found \"1e300\", expected at most 292 years"}`},
		{"too many steps", steps, valid("step", "0.001"), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"step\": found more than 11000 steps, expected fewer"}`},
		{"a range as steps", steps, valid("query", "x_total[1m]"), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": invalid expression type \"range vector\" for range query, must be Scalar or instant Vector"}`},
		{"a lookback of the user's", steps, valid("lookback_delta", "x"), 400, `{"status":"error","errorType":"bad_data","error":"invalid parameter \"lookback_delta\": found \"x\", expected seconds or a duration such as 1h30m"}`},
	} {
		t.Run(c.what, func(t *testing.T) {
			status, body := get(t, h, "/api/v1/"+c.path, c.form)
			assert.Equal(t, c.status, status)
			assert.Equal(t, c.want, body)
		})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/api/v1/query", nil))
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
	status, _ := get(t, h, "/api/v1/labels", nil)
	assert.Equal(t, http.StatusNotFound, status)
}

func TestWhoHangsUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	scraped(t).ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/query?query=x_total", nil))
	assert.Equal(t, 499, w.Code)
	assert.Contains(t, w.Body.String(), `"errorType":"canceled"`)
}

// A form that is posted, over a listener and within the process.
func TestThePostedForm(t *testing.T) {
	h := scraped(t)
	listener := httptest.NewServer(h)
	defer listener.Close()
	for what, client := range map[string]*http.Client{"a listener": listener.Client(), "the process": {Transport: Transport(h)}} {
		t.Run(what, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, listener.URL+"/api/v1/query", strings.NewReader(url.Values{"query": {"sum(x_total)"}}.Encode()))
			require.NoError(t, err)
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			response, err := client.Do(request)
			require.NoError(t, err)
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, response.StatusCode)
			assert.Equal(t, "application/json", response.Header.Get("Content-Type"))
			assert.Equal(t, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1767571325,"3600"]}]}}`, string(body))
		})
	}
}

func TestTransport(t *testing.T) {
	silent := Transport(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://prometheus/", nil)
	require.NoError(t, err)
	response, err := silent.RoundTrip(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusOK, response.StatusCode)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = silent.RoundTrip(request.WithContext(ctx))
	assert.ErrorIs(t, err, context.Canceled)
}

// The trigger of a live scale handler, unmodified.
func TestALiveScalerAsks(t *testing.T) {
	h := scraped(t)
	listener := httptest.NewServer(h)
	defer listener.Close()
	for what, transport := range map[string]http.RoundTripper{"a listener": listener.Client().Transport, "the process": Transport(h)} {
		t.Run(what, func(t *testing.T) {
			scaler := func(query string) *live.Scaler {
				s, err := live.New(live.Options{ServerAddress: listener.URL, Query: query, Threshold: 31, Cooldown: time.Minute, Transport: transport})
				require.NoError(t, err)
				t.Cleanup(func() { assert.NoError(t, s.Close()) })
				return s
			}
			s := scaler(`sum(rate(x_total[1m]))`)
			healthy, err := s.IsHealthy(t.Context())
			require.NoError(t, err)
			assert.True(t, healthy)
			idle, err := s.ShouldScaleToZero(t.Context())
			require.NoError(t, err)
			assert.True(t, idle, "30 is below 31")
			wake, err := s.ShouldScaleFromZero(t.Context())
			require.NoError(t, err)
			assert.False(t, wake)

			for query, want := range map[string]string{
				"y":        "the query's result is empty",
				"x_total":  "found 2 elements, expected one",
				"x_total[": `found status 400, expected 200: "bad_data": "invalid parameter \"query\": 1:9: parse error: unexpected end of input in duration expression"`,
			} {
				_, err := scaler(query).ShouldScaleToZero(t.Context())
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

func FuzzParameters(f *testing.F) {
	for _, text := range []string{"", "0", "1767571200.5", "-1", "1e308", "NaN", "2026-01-05T00:00:00Z", "1h30m", "1y", "9223372036.9", "0x1p70", "99999999999999999999"} {
		f.Add("x_total", text, text, text, text)
	}
	h := scraped(f)
	f.Fuzz(func(t *testing.T, query, at, start, step, limit string) {
		form := url.Values{"query": {query}, "time": {at}, "start": {start}, "end": {at}, "step": {step}, "limit": {limit}, "lookback_delta": {step}, "timeout": {step}}
		for _, path := range []string{"/api/v1/query", "/api/v1/query_range"} {
			status, body := get(t, h, path, form)
			assert.Contains(t, []int{200, 400, 422}, status, body)
			again, same := get(t, h, path, form)
			assert.Equal(t, status, again)
			assert.Equal(t, body, same)
			if status == 200 {
				assert.True(t, strings.HasPrefix(body, `{"status":"success","data":{"resultType":`), body)
			}
		}
		p := parameters{form.Get}
		if instant, err := p.time("time", start0); err == nil {
			assert.LessOrEqual(t, instant.Year(), 9999)
		}
		if d, err := p.duration("step", 0); err == nil {
			assert.Less(t, d.Hours(), 293.0*366*24)
		}
	})
}

var start0 = time.Unix(0, 0)
