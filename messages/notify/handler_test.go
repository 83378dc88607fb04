package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/scalelab/scalelab/messages"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const valid = `{"count":1,"svc":"web","namespace":"shop"}`

func TestHandler(t *testing.T) {
	broken := errors.New("the deployment is gone, and this is a secret")
	long := strings.Repeat("a", 64)
	for _, c := range []struct {
		name, method, path, body string
		receive                  error
		status                   int
		want                     string
		received                 int
	}{
		{"a message", "POST", Path, valid, nil, 200, "received", 1},
		{"spaces around it", "POST", Path, " " + valid + "\n", nil, 200, "received", 1},
		{"an unknown member", "POST", Path, `{"count":1,"svc":"web","namespace":"shop","zone":{"a":[1]}}`, nil, 200, "received", 1},
		{"receive fails", "POST", Path, valid, broken, 500, "the service could not be woken", 1},
		{"a query in the address", "POST", Path + "?x=1", valid, nil, 200, "received", 1},

		{"GET", "GET", Path, "", nil, 405, `found method "GET", expected POST`, 0},
		{"PUT", "PUT", Path, valid, nil, 405, `found method "PUT", expected POST`, 0},
		{"another path", "POST", "/crd-cache", valid, nil, 404, `found path "/crd-cache", expected /informer/incoming-request`, 0},
		{"a slash too many", "POST", Path + "/", valid, nil, 404, `found path "/informer/incoming-request/", expected /informer/incoming-request`, 0},

		{"no body", "POST", Path, "", nil, 400, "invalid request body: unexpected end of JSON input", 0},
		{"half a body", "POST", Path, valid[:20], nil, 400, "invalid request body: unexpected end of JSON input", 0},
		{"something after the message", "POST", Path, valid + valid, nil, 400, "invalid request body: invalid character '{' after top-level value", 0},
		{"null", "POST", Path, "null", nil, 400, "invalid request body: count: found 0, expected at least 1\nsvc: expected a service name, found none\nnamespace: expected a namespace, found none", 0},
		{"a list", "POST", Path, "[]", nil, 400, "invalid request body: json: cannot unmarshal array into Go value of type messages.RequestCount", 0},
		{"a count that is text", "POST", Path, `{"count":"1","svc":"web","namespace":"shop"}`, nil, 400, "invalid request body: json: cannot unmarshal string into Go struct field RequestCount.count of type int", 0},
		{"a count that is no whole number", "POST", Path, `{"count":1.5,"svc":"web","namespace":"shop"}`, nil, 400, "invalid request body: json: cannot unmarshal number 1.5 into Go struct field RequestCount.count of type int", 0},
		{"a negative count", "POST", Path, `{"count":-1,"svc":"web","namespace":"shop"}`, nil, 400, "invalid request body: count: found -1, expected at least 1", 0},
		{"no namespace", "POST", Path, `{"count":1,"svc":"web"}`, nil, 400, "invalid request body: namespace: expected a namespace, found none", 0},
		{"a name that is too long", "POST", Path, `{"count":1,"svc":"` + long + `","namespace":"shop"}`, nil, 400, "invalid request body: svc: found 64 characters, expected at most 63", 0},
		{"a body that is too long", "POST", Path, valid + strings.Repeat(" ", maxBody), nil, 400, "invalid request body: http: request body too large", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			received := 0
			handler := Handler(func(_ context.Context, m messages.RequestCount) error {
				received++
				assert.Equal(t, messages.RequestCount{Count: 1, Svc: "web", Namespace: "shop"}, m)
				return c.receive
			})
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
			assert.Equal(t, c.status, w.Code)
			want, err := json.Marshal(map[string]string{"message": c.want})
			require.NoError(t, err)
			assert.Equal(t, string(want), w.Body.String())
			assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
			assert.Equal(t, c.status == 405, w.Header().Get("Allow") == "POST")
			assert.Equal(t, c.received, received)
		})
	}
}

// What KubeElasti's resolver sends is taken, and answered as it expects.
func TestHandlerOverLoopback(t *testing.T) {
	server := httptest.NewServer(Handler(func(ctx context.Context, _ messages.RequestCount) error { return ctx.Err() }))
	defer server.Close()
	client := server.Client()
	response, err := client.Post(server.URL+"/informer/incoming-request", "application/json", strings.NewReader(valid))
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.Equal(t, `{"message":"received"}`, string(body))
}

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestABodyThatBreaksOff(t *testing.T) {
	w := httptest.NewRecorder()
	Handler(nil).ServeHTTP(w, httptest.NewRequest("POST", Path, brokenBody{}))
	assert.Equal(t, 400, w.Code)
	assert.Equal(t, `{"message":"invalid request body: unexpected EOF"}`, w.Body.String())
}

func FuzzHandler(f *testing.F) {
	for _, seed := range []string{
		valid, "", "null", "{", "[]", `{"count":1e99}`, `{"count":1,"svc":"a","namespace":"b"}{`, "\xff", `{"COUNT":7,"SVC":"a","Namespace":"b"}`,
		strings.Repeat("[", 5000), `{"svc":"\ud800","count":1,"namespace":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got []messages.RequestCount
		handler := Handler(func(_ context.Context, m messages.RequestCount) error {
			got = append(got, m)
			return nil
		})
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("POST", Path, strings.NewReader(string(body))))
		var said answer
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &said))
		require.NotEmpty(t, said.Message)
		switch w.Code {
		case 200:
			require.Len(t, got, 1)
			require.NoError(t, got[0].Validate())
			require.LessOrEqual(t, len(body), maxBody)
		case 400:
			require.Empty(t, got)
		default:
			t.Fatalf("found status %d, expected 200 or 400", w.Code)
		}
	})
}
