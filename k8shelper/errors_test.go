package k8shelper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var allKinds = []error{
	ErrNotFound, ErrAlreadyExists, ErrConflict, ErrForbidden, ErrInvalid, ErrTimeout, ErrUnavailable, ErrNoMatch,
}

func code(status int) error {
	return apierrors.NewGenericServerResponse(status, "get", schema.GroupResource{Resource: "pods"}, "p", "", 0, true)
}

func dialed(err error) error {
	return &url.Error{Op: "Get", URL: "https://x", Err: &net.OpError{Op: "dial", Net: "tcp", Err: err}}
}

func TestErrorsHaveAReason(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	kind := schema.GroupKind{Kind: "Pod"}
	for name, test := range map[string]struct {
		err       error
		kind      error
		transient bool
	}{
		"not found":             {apierrors.NewNotFound(pods, "p"), ErrNotFound, false},
		"already exists":        {apierrors.NewAlreadyExists(pods, "p"), ErrAlreadyExists, false},
		"conflict":              {apierrors.NewConflict(pods, "p", nil), ErrConflict, true},
		"forbidden":             {apierrors.NewForbidden(pods, "p", nil), ErrForbidden, false},
		"unauthorized":          {apierrors.NewUnauthorized("who?"), ErrForbidden, false},
		"invalid":               {apierrors.NewInvalid(kind, "p", nil), ErrInvalid, false},
		"bad request":           {apierrors.NewBadRequest("no"), ErrInvalid, false},
		"method":                {apierrors.NewMethodNotSupported(pods, "x"), ErrInvalid, false},
		"too large":             {apierrors.NewRequestEntityTooLargeError("x"), ErrInvalid, false},
		"media type":            {code(http.StatusUnsupportedMediaType), ErrInvalid, false},
		"timeout":               {apierrors.NewTimeoutError("slow", 1), ErrTimeout, true},
		"server timeout":        {apierrors.NewServerTimeout(pods, "get", 1), ErrTimeout, true},
		"gateway timeout":       {code(http.StatusGatewayTimeout), ErrTimeout, true},
		"deadline":              {context.DeadlineExceeded, ErrTimeout, true},
		"wrapped deadline":      {fmt.Errorf("limiter: %w", context.DeadlineExceeded), ErrTimeout, true},
		"network timeout":       {&url.Error{Op: "Get", URL: "x", Err: os.ErrDeadlineExceeded}, ErrTimeout, true},
		"too many requests":     {apierrors.NewTooManyRequests("later", 1), ErrUnavailable, true},
		"unavailable":           {apierrors.NewServiceUnavailable("x"), ErrUnavailable, true},
		"internal":              {apierrors.NewInternalError(errors.New("x")), ErrUnavailable, true},
		"bad gateway":           {code(http.StatusBadGateway), ErrUnavailable, true},
		"connection refused":    {dialed(syscall.ECONNREFUSED), ErrUnavailable, true},
		"connection reset":      {&url.Error{Op: "Get", URL: "x", Err: syscall.ECONNRESET}, ErrUnavailable, true},
		"no route":              {dialed(syscall.EHOSTUNREACH), ErrUnavailable, true},
		"no such host":          {&url.Error{Op: "Get", URL: "x", Err: &net.DNSError{Err: "no such host"}}, ErrUnavailable, true},
		"end of stream":         {&url.Error{Op: "Get", URL: "x", Err: io.EOF}, ErrUnavailable, true},
		"unexpected end":        {io.ErrUnexpectedEOF, ErrUnavailable, true},
		"no kind":               {&meta.NoKindMatchError{GroupKind: kind}, ErrNoMatch, false},
		"no resource":           {&meta.NoResourceMatchError{}, ErrNoMatch, false},
		"canceled":              {context.Canceled, nil, false},
		"canceled on the way":   {&url.Error{Op: "Get", URL: "x", Err: context.Canceled}, nil, false},
		"certificate":           {&url.Error{Op: "Get", URL: "x", Err: errors.New("x509: unknown authority")}, nil, false},
		"a code of no meaning":  {code(http.StatusTeapot), nil, false},
		"something else":        {errors.New("boom"), nil, false},
		"explained before":      {fmt.Errorf("scale: %w", explain("read", apierrors.NewConflict(pods, "p", nil))), ErrConflict, true},
		"refused by us":         {invalid("check", "found %d", 1), ErrInvalid, false},
		"expired list position": {apierrors.NewResourceExpired("old"), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := explain("try it", test.err)
			for _, kind := range allKinds {
				assert.Equal(t, kind == test.kind, errors.Is(err, kind), "%v", kind)
			}
			assert.ErrorIs(t, err, test.err, "the cause is still there")
			assert.EqualError(t, err, "try it: "+test.err.Error())
			assert.Equal(t, test.transient, Transient(err))
			assert.Equal(t, test.transient, Transient(test.err), "without our words")
		})
	}
	assert.False(t, Transient(nil))
}

func TestRetryAfter(t *testing.T) {
	asked, ok := RetryAfter(explain("x", apierrors.NewTooManyRequests("later", 3)))
	require.True(t, ok)
	assert.Equal(t, 3*time.Second, asked)
	for name, err := range map[string]error{
		"none":       nil,
		"no seconds": apierrors.NewTooManyRequests("later", 0),
		"no details": &apierrors.StatusError{ErrStatus: metav1.Status{Code: 429}},
		"no status":  errors.New("boom"),
	} {
		_, ok := RetryAfter(err)
		assert.False(t, ok, name)
	}
}
