package k8shelper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// Why an operation failed, for errors.Is. The API server's own error is
// wrapped beside it, so that apierrors' functions work, too.
var (
	ErrNotFound      = errors.New("not found")                   // 404
	ErrAlreadyExists = errors.New("already exists")              // 409 of a create
	ErrConflict      = errors.New("conflict")                    // 409: somebody else wrote first
	ErrForbidden     = errors.New("forbidden")                   // 401 and 403
	ErrInvalid       = errors.New("invalid")                     // 400, 405, 413, 415, 422, and arguments refused here
	ErrTimeout       = errors.New("timeout")                     // 504, and a deadline or network timeout on the way
	ErrUnavailable   = errors.New("unavailable")                 // 429, other 5xx, and broken or refused connections
	ErrNoMatch       = errors.New("no such kind in the cluster") // no such API, even after asking again
)

// Transient says whether the same call may succeed later: the server timed out
// or was not available, or somebody else wrote first. A write that timed out
// may have taken effect. A canceled context is not transient.
func Transient(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	switch classify(err) {
	case ErrTimeout, ErrUnavailable, ErrConflict:
		return true
	}
	return false
}

// RetryAfter is how long the server asked to wait before the next try, with
// false if it asked for nothing. It asks in whole seconds.
func RetryAfter(err error) (time.Duration, bool) {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return 0, false
	}
	details := status.Status().Details
	if details == nil || details.RetryAfterSeconds <= 0 {
		return 0, false
	}
	return time.Duration(details.RetryAfterSeconds) * time.Second, true
}

// refusal is an error with the reason it stands for.
type refusal struct {
	attempt string
	kind    error
	cause   error
}

func (r *refusal) Error() string   { return r.attempt + ": " + r.cause.Error() }
func (r *refusal) Unwrap() []error { return []error{r.kind, r.cause} }

// explain says what was attempted, and makes the reason visible to errors.Is.
func explain(attempt string, err error) error {
	if kind := classify(err); kind != nil {
		return &refusal{attempt, kind, err}
	}
	return fmt.Errorf("%s: %w", attempt, err)
}

// invalid refuses an argument before the server sees it.
func invalid(attempt, format string, args ...any) error {
	return &refusal{attempt, ErrInvalid, fmt.Errorf(format, args...)}
}

// classify finds the reason of an error, or nil.
func classify(err error) error {
	var known *refusal
	switch {
	case errors.As(err, &known):
		return known.kind
	case meta.IsNoMatchError(err):
		return ErrNoMatch
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return classifyStatus(err, int(status.Status().Code))
	}
	return classifyTransport(err)
}

// classifyStatus goes by the reason that the server gave; a proxy on the way
// gives only a code.
func classifyStatus(err error, code int) error {
	switch {
	case apierrors.IsNotFound(err):
		return ErrNotFound
	case apierrors.IsAlreadyExists(err):
		return ErrAlreadyExists
	case apierrors.IsConflict(err):
		return ErrConflict
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return ErrForbidden
	case apierrors.IsTimeout(err), apierrors.IsServerTimeout(err), code == http.StatusGatewayTimeout:
		return ErrTimeout
	case apierrors.IsTooManyRequests(err), code >= http.StatusInternalServerError:
		return ErrUnavailable
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsMethodNotSupported(err),
		apierrors.IsUnsupportedMediaType(err), apierrors.IsRequestEntityTooLargeError(err):
		return ErrInvalid
	}
	return nil
}

// classifyTransport is for calls that no server has answered.
func classifyTransport(err error) error {
	var network net.Error
	isNetwork := errors.As(err, &network)
	switch {
	case errors.Is(err, context.Canceled):
		return nil
	case errors.Is(err, context.DeadlineExceeded), isNetwork && network.Timeout():
		return ErrTimeout
	case utilnet.IsConnectionRefused(err), utilnet.IsConnectionReset(err), utilnet.IsProbableEOF(err),
		utilnet.IsHTTP2ConnectionLost(err), errors.Is(err, io.ErrUnexpectedEOF), isDialError(err):
		return ErrUnavailable
	}
	return nil
}

// isDialError is for hosts that have no name or no route.
func isDialError(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &dns) || errors.As(err, &op) && op.Op == "dial"
}
