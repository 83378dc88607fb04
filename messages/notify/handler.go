package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/scalelab/scalelab/messages"
)

// Handler is the operator's side: it gives every valid message that is POSTed
// to Path to receive, and answers when receive has returned, always with JSON
// {"message": ...}.
//
//	200  receive took the message
//	400  the body is no valid RequestCount, or is longer than 4 KiB
//	404  another path
//	405  another method; Allow says POST
//	500  receive failed; its error is for the operator's own log, not for the wire
//
// Members of the body that are unknown are ignored, as KubeElasti does, so that
// a newer proxy can talk to an older operator; what follows the JSON value is
// refused, which KubeElasti does not. The content type is not looked at.
//
// receive gets the request's context, which ends when the proxy hangs up, and
// may be called from many goroutines.
func Handler(receive func(ctx context.Context, m messages.RequestCount) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != Path {
			reply(w, http.StatusNotFound, "found path %.100q, expected %s", r.URL.Path, Path)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			reply(w, http.StatusMethodNotAllowed, "found method %.20q, expected POST", r.Method)
			return
		}
		m, err := read(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			reply(w, http.StatusBadRequest, "invalid request body: %v", err)
			return
		}
		if err := receive(r.Context(), m); err != nil {
			reply(w, http.StatusInternalServerError, "the service could not be woken")
			return
		}
		reply(w, http.StatusOK, "received")
	})
}

// read reads one message to its end.
func read(body io.Reader) (messages.RequestCount, error) {
	var m messages.RequestCount
	text, err := io.ReadAll(body)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, err
	}
	return m, m.Validate()
}

func reply(w http.ResponseWriter, status int, format string, args ...any) {
	body, _ := json.Marshal(answer{fmt.Sprintf(format, args...)}) // one string: cannot fail
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// A proxy that hung up needs no answer.
	_, _ = w.Write(body)
}
