package resolver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// refusal is an answer of the resolver itself.
type refusal struct {
	status  int
	reason  string
	outcome outcome
}

func (e *refusal) Error() string { return e.reason }

// statusLeft is written for nobody: the client has gone (nginx's number).
const statusLeft = 499

// KubeElasti's codes: 500 for a full queue, 408 for a timeout and for traffic
// that is switched.
var (
	errFull    = &refusal{http.StatusInternalServerError, "too many requests are waiting", refused}
	errTimeout = &refusal{http.StatusRequestTimeout, "request timeout", timedOut}
	errClosed  = &refusal{http.StatusRequestTimeout, "traffic is switched", closed}
	errStopped = &refusal{http.StatusServiceUnavailable, "shutting down", stopped}
	errLeft    = &refusal{statusLeft, "the client has left", left}
	errPanic   = &refusal{http.StatusInternalServerError, "internal error", panicked}
)

// asRefusal is the answer to an error; what is not the resolver's own is the
// pod's.
func asRefusal(err error) *refusal {
	var own *refusal
	if errors.As(err, &own) {
		return own
	}
	return &refusal{http.StatusBadGateway, fmt.Sprintf("forwarding: %v", err), failed}
}

// reply answers in the pod's stead. The client is told to close its connection,
// as with a forwarded answer: the next one may lead to the pods directly.
func (r *Resolver) reply(w http.ResponseWriter, err error) {
	why := asRefusal(err)
	r.logger.Warn("request not answered by its service", "status", why.status, "error", why.reason)
	header := w.Header()
	if why.status == http.StatusServiceUnavailable {
		seconds := (r.settings.Retry + time.Second - 1) / time.Second
		header.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	header.Set("Connection", "close")
	header.Set("Content-Type", "application/json")
	w.WriteHeader(why.status)
	// A client that has left cannot be told so.
	_ = json.NewEncoder(w).Encode(struct {
		Error string `json:"error"`
	}{why.reason})
}
