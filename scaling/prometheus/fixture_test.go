package prometheus

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 1, 5, 9, 0, 0, 123456789, time.UTC)

// options are valid ones for a server at address.
func options(address string) Options {
	return Options{ServerAddress: address, Query: "sum(rate(x[1m])) or vector(0)", Threshold: 0.5, Cooldown: 15 * time.Minute}
}

// scalerFor gives a Scaler whose server is handler, over loopback.
func scalerFor(t *testing.T, handler http.HandlerFunc, changes ...func(*Options)) *Scaler {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	o := options(server.URL)
	for _, change := range changes {
		change(&o)
	}
	s, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// says answers every query with a status and a body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// vector is an answer with one element.
func vector(value string) string {
	return fmt.Sprintf(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"pod":"a"},"value":[1767603600.123,%q]}]}}`, value)
}
