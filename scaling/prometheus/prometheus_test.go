package prometheus

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"
)

func TestValuesAndVotes(t *testing.T) {
	const scalar = `{"status":"success","data":{"resultType":"scalar","result":[1767603600,"0.2"]}}`
	for _, c := range []struct {
		name, body       string
		healthy          bool
		toZero, fromZero bool
	}{
		{"below the threshold", vector("0.49999"), false, true, false},
		{"at the threshold", vector("0.5"), false, false, true},
		{"above the threshold", vector("3e3"), false, false, true},
		{"zero", vector("0"), false, true, false},
		{"negative", vector("-0.5"), false, true, false},
		{"-1 stands for unknown", vector("-1"), false, false, true},
		{"NaN is for the workload", vector("NaN"), false, false, true},
		{"one", vector("1"), true, false, true},
		{"a scalar", scalar, false, true, false},
		{"infos are no warnings", strings.Replace(scalar, `{`, `{"infos":["PromQL info"],`, 1), false, true, false},
		{"no warnings", strings.Replace(scalar, `{`, `{"warnings":[],`, 1), false, true, false},
		{"a member that is new", strings.Replace(scalar, `{`, `{"novel":{"a":1},`, 1), false, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := scalerFor(t, says(200, c.body))
			healthy, err := s.IsHealthy(t.Context())
			require.NoError(t, err)
			toZero, err := s.ShouldScaleToZero(t.Context())
			require.NoError(t, err)
			fromZero, err := s.ShouldScaleFromZero(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []bool{c.healthy, c.toZero, c.fromZero}, []bool{healthy, toZero, fromZero})
		})
	}
}

// Whatever goes wrong, nothing is healthy, nothing goes to zero, and one who
// ignores errors wakes the workload.
func TestWhatIsNoAnswer(t *testing.T) {
	result := func(kind, result string) string {
		return `{"status":"success","data":{"resultType":"` + kind + `","result":` + result + `}}`
	}
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"an empty vector", 200, result("vector", `[]`), "the query's result is empty"},
		{"a vector that is null", 200, result("vector", `null`), "the query's result is empty"},
		{"two elements", 200, result("vector", `[{"value":[1,"0"]},{"value":[1,"0"]}]`), "found 2 elements, expected one"},
		{"infinite", 200, vector("+Inf"), "found the value +Inf, expected a finite one"},
		{"minus infinite", 200, vector("-Inf"), "found the value -Inf, expected a finite one"},
		{"more than a float holds", 200, vector("1e999"), "read the vector: found a value that is no number"},
		{"no number", 200, vector("abc"), "read the vector: found a value that is no number"},
		{"no text", 200, result("scalar", `[1,2]`), "read the scalar: found a value that is no text, expected a number in quotes"},
		{"a value that is null", 200, result("scalar", `[1,null]`), "read the scalar: found a value that is no text, expected a number in quotes"},
		{"no instant", 200, result("scalar", `[null,"2"]`), "read the scalar: found a value without an instant"},
		{"an instant that is text", 200, result("scalar", `["1","2"]`), "read the scalar: found a value without an instant"},
		{"half a pair", 200, result("scalar", `[1]`), "read the scalar: found 1 parts of a value, expected an instant and a number"},
		{"no pair", 200, result("scalar", `[]`), "read the scalar: found 0 parts of a value, expected an instant and a number"},
		{"a triple", 200, result("scalar", `[1,"2","3"]`), "read the scalar: found 3 parts of a value, expected an instant and a number"},
		{"no list", 200, result("scalar", `{}`), "read the scalar: json: cannot unmarshal object into Go value of type []json.RawMessage"},
		{"a scalar that is null", 200, result("scalar", `null`), "found a scalar without a value"},
		{"an element without a value", 200, result("vector", `[{"metric":{}}]`), "found an element without a value"},
		{"a histogram", 200, result("vector", `[{"metric":{},"histogram":[1,{"count":"1"}]}]`), "found a histogram, expected a number"},
		{"a matrix", 200, result("matrix", `[]`), "found a matrix, expected a vector or a scalar"},
		{"a string", 200, result("string", `[1,"1"]`), "found a string, expected a vector or a scalar"},
		{"another type", 200, result("streams", `[]`), "found an unknown type of result, expected a vector or a scalar"},
		{"no type", 200, `{"status":"success"}`, "found no type of result, expected a vector or a scalar"},
		{"no result", 200, `{"status":"success","data":{"resultType":"vector"}}`, "read the vector: unexpected end of JSON input"},
		{"a warning", 200, strings.Replace(vector("0"), `{`, `{"warnings":["store a is away"],`, 1), `found a warning, so that data may be missing: "store a is away"`},
		{"a failure in a 200", 200, `{"status":"error","errorType":"timeout","error":"too slow"}`, `found a status other than success: "timeout": "too slow"`},
		{"null", 200, `null`, "found a status other than success"},
		{"no body", 200, ``, "read the answer: unexpected end of JSON input"},
		{"half a body", 200, vector("0")[:60], "read the answer: unexpected end of JSON input"},
		{"something after it", 200, vector("0") + "x", "read the answer: invalid character 'x' after top-level value"},
		{"a login page", 200, `<html>`, "read the answer: invalid character '<' looking for beginning of value"},
		{"more than fits", 200, vector("0") + strings.Repeat(" ", maxAnswer), "found more than 1048576 bytes of answer"},
		{"a bad query", 400, `{"status":"error","errorType":"bad_data","error":"parse error: unexpected \")\""}`, `found status 400, expected 200: "bad_data": "parse error: unexpected \")\""`},
		{"unauthorized", 401, "Unauthorized", "found status 401, expected 200"},
		{"a failure with a value", 503, vector("0"), "found status 503, expected 200"},
		{"created", 201, vector("0"), "found status 201, expected 200"},
		{"an error without end", 500, `{"error":"` + strings.Repeat("e", 1000) + `"}`, `found status 500, expected 200: "": "` + strings.Repeat("e", 200) + `"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := scalerFor(t, says(c.status, c.body))
			assertFails(t, s, c.want)
		})
	}
}

// assertFails expects an error from every method, and the safe answers with it.
func assertFails(t *testing.T, s *Scaler, want string) {
	t.Helper()
	healthy, err := s.IsHealthy(t.Context())
	assert.EqualError(t, err, `prometheus: query "min_over_time((max(up{container=\"prometheus\"}) or vector(0))[900s:])" to `+s.options.ServerAddress+": "+want)
	toZero, err := s.ShouldScaleToZero(t.Context())
	assert.EqualError(t, err, `prometheus: query "sum(rate(x[1m])) or vector(0)" to `+s.options.ServerAddress+": "+want)
	fromZero, err := s.ShouldScaleFromZero(t.Context())
	assert.EqualError(t, err, `prometheus: query "sum(rate(x[1m])) or vector(0)" to `+s.options.ServerAddress+": "+want)
	assert.Equal(t, []bool{false, false, true}, []bool{healthy, toZero, fromZero})
}

func TestWhatIsSent(t *testing.T) {
	var requests []*http.Request
	handler := func(w http.ResponseWriter, r *http.Request) {
		requests = append(requests, r)
		says(200, vector("0"))(w, r)
	}
	s := scalerFor(t, handler, func(o *Options) {
		o.ServerAddress += "/select/0/prometheus/"
		o.Query = `sum(rate(x{path=~"/a+b&c"}[1m]))`
		o.UptimeFilter = `job="prom",a="b"`
		o.Cooldown = 1500 * time.Millisecond
		o.Clock = clocktesting.NewFakePassiveClock(now.In(time.FixedZone("x", 3600)))
		o.Headers = map[string]Secret{"x-scope-orgid": "7", "Host": "prom.example", "authorization": "Basic other"}
		o.Authorization = "Bearer hunter2"
	})
	_, err := s.ShouldScaleToZero(t.Context())
	require.NoError(t, err)
	_, err = s.IsHealthy(t.Context())
	require.NoError(t, err)
	require.Len(t, requests, 2)

	r := requests[0]
	assert.Equal(t, "GET", r.Method)
	assert.Equal(t, "/select/0/prometheus/api/v1/query?query=sum%28rate%28x%7Bpath%3D~%22%2Fa%2Bb%26c%22%7D%5B1m%5D%29%29&time=2026-01-05T09:00:00Z", r.RequestURI)
	assert.Equal(t, "Bearer hunter2", r.Header.Get("Authorization"))
	assert.Equal(t, "7", r.Header.Get("X-Scope-Orgid"))
	assert.Equal(t, "prom.example", r.Host)
	assert.Equal(t, "application/json", r.Header.Get("Accept"))
	assert.Equal(t, `min_over_time((max(up{job="prom",a="b"}) or vector(0))[2s:])`, requests[1].FormValue("query"))
	assert.Contains(t, requests[1].RequestURI, "%20or%20vector", "spaces as KubeElasti writes them")
}

func TestTheServersOwnClock(t *testing.T) {
	s := scalerFor(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, url.Values{"query": {"sum(rate(x[1m])) or vector(0)"}}, r.URL.Query())
		assert.Empty(t, r.Header.Get("Authorization"))
		says(200, vector("0"))(w, r)
	})
	_, err := s.ShouldScaleToZero(t.Context())
	require.NoError(t, err)
}

// A server, or a proxy before it, that repeats what it was sent.
func TestNoErrorNamesASecret(t *testing.T) {
	const token, other = `hunter2-"with"-quotes-and-so-on`, "x-secret-of-a-header"
	echo := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			// The secret lies across the place where the error cuts the text off.
			text := strings.Repeat("p", 190) + r.Header.Get("Authorization") + r.Header.Get("X-Token") + r.Header.Get("X-Short")
			body, err := jsonOf(map[string]any{"status": "error", "errorType": token, "error": text, "warnings": []string{text}})
			assert.NoError(t, err)
			_, _ = w.Write(body)
		}
	}
	malformed := func(w http.ResponseWriter, r *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		assert.NoError(t, err)
		_, _ = io.WriteString(connection, r.Header.Get("Authorization")+"\r\n\r\n")
		connection.Close()
	}
	elsewhere := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Header.Get("X-Token")+"/", http.StatusFound)
	}
	for name, handler := range map[string]http.HandlerFunc{
		"in an error": echo(500), "in a 200": echo(200), "in what is no HTTP": malformed, "in a redirect": elsewhere,
	} {
		t.Run(name, func(t *testing.T) {
			s := scalerFor(t, handler, func(o *Options) {
				o.Authorization = "Bearer " + token
				o.Headers = map[string]Secret{"X-Token": other, "Authorization": "Basic dXNlcjpwYXNz", "X-Short": "1"}
			})
			_, err := s.ShouldScaleToZero(t.Context())
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), other)
			assert.Contains(t, err.Error(), hidden)
		})
	}
}

func TestRedirects(t *testing.T) {
	t.Run("to the same host", func(t *testing.T) {
		s := scalerFor(t, func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/new") {
				http.Redirect(w, r, "/new"+r.RequestURI, http.StatusFound)
				return
			}
			assert.Equal(t, "Bearer x", r.Header.Get("Authorization"))
			assert.Equal(t, "sum(rate(x[1m])) or vector(0)", r.FormValue("query"))
			says(200, vector("0"))(w, r)
		}, func(o *Options) { o.Authorization = "Bearer x" })
		idle, err := s.ShouldScaleToZero(t.Context())
		require.NoError(t, err)
		assert.True(t, idle)
	})
	t.Run("to another host", func(t *testing.T) {
		assertFails(t, scalerFor(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.example/", http.StatusFound)
		}), `found a redirect to another host, "elsewhere.example"`)
	})
	t.Run("in a circle", func(t *testing.T) {
		assertFails(t, scalerFor(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/", http.StatusFound)
		}), "found more than 3 redirects")
	})
}

func TestNobodyThere(t *testing.T) {
	server := httptest.NewServer(says(200, vector("0")))
	s, err := New(options(server.URL))
	require.NoError(t, err)
	server.Close()
	toZero, err := s.ShouldScaleToZero(t.Context())
	assert.ErrorContains(t, err, "connection refused")
	assert.False(t, toZero)
}

func TestABodyThatBreaksOff(t *testing.T) {
	s := scalerFor(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, vector("0"))
	})
	assertFails(t, s, "read the answer: unexpected EOF")
}

// transport answers in memory, as the simulator's Prometheus does.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func inMemory(t *testing.T, f transport) *Scaler {
	o := options("http://prometheus:9090")
	o.Transport = f
	s, err := New(o)
	require.NoError(t, err)
	return s
}

func body(text io.Reader) *http.Response {
	return &http.Response{StatusCode: 200, Body: io.NopCloser(text)}
}

func TestAnyTransport(t *testing.T) {
	s := inMemory(t, func(r *http.Request) (*http.Response, error) {
		assert.Equal(t, "prometheus:9090", r.Host)
		return body(strings.NewReader(vector("1"))), nil
	})
	healthy, err := s.IsHealthy(t.Context())
	require.NoError(t, err)
	assert.True(t, healthy)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
}

// hanging is a body that gives nothing until the request ends.
type hanging struct{ ctx context.Context }

func (h hanging) Read([]byte) (int, error) { <-h.ctx.Done(); return 0, h.ctx.Err() }

func TestTimeouts(t *testing.T) {
	for name, f := range map[string]transport{
		"no answer":       func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
		"an endless body": func(r *http.Request) (*http.Response, error) { return body(hanging{r.Context()}), nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, began := inMemory(t, f), time.Now()
				fromZero, err := s.ShouldScaleFromZero(t.Context())
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.True(t, fromZero)
				assert.Equal(t, 5*time.Second, time.Since(began))

				ctx, leave := context.WithTimeout(t.Context(), time.Second)
				defer leave()
				toZero, err := s.ShouldScaleToZero(ctx)
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.False(t, toZero)
				assert.Equal(t, 6*time.Second, time.Since(began))
			})
		})
	}
	canceled, leave := context.WithCancel(t.Context())
	leave()
	s := inMemory(t, func(r *http.Request) (*http.Response, error) { return nil, r.Context().Err() })
	healthy, err := s.IsHealthy(canceled)
	assert.ErrorIs(t, err, context.Canceled)
	assert.False(t, healthy)
}

func TestATransportThatFails(t *testing.T) {
	broken := errors.New("the cable is cut")
	s := inMemory(t, func(*http.Request) (*http.Response, error) { return nil, broken })
	_, err := s.ShouldScaleToZero(t.Context())
	assert.ErrorIs(t, err, broken)
	assertFails(t, s, "the cable is cut")
}

func TestManyAtOnce(t *testing.T) {
	s := scalerFor(t, says(200, vector("0")))
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			idle, err := s.ShouldScaleToZero(t.Context())
			assert.NoError(t, err)
			assert.True(t, idle)
		})
	}
	group.Wait()
}
