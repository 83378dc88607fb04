// Package notify is the HTTP contract between a request-holding proxy and the
// operator: the proxy POSTs a messages.RequestCount when requests wait for a
// service without a ready pod, and the operator wakes the service.
//
// The path, the port, the JSON names and the status codes are KubeElasti's
// (v0.1.30, operator/internal/elastiserver and resolver/internal/operator).
// Four things differ on purpose:
//
//   - The answer comes after the wake-up and not before, so that the proxy
//     learns of a wake-up that failed (500) and tries again.
//   - The window in which a service is not announced again is kept by namespace
//     and service. KubeElasti keeps it by service alone, so that two services
//     of one name in two namespaces hide each other.
//   - A notification that failed opens no window.
//   - A message that RequestCount.Validate refuses is a bad body (400).
package notify

import "fmt"

const (
	// Path is where the operator takes notifications.
	Path = "/informer/incoming-request"
	// Port is the operator's port.
	Port = 8013
)

// maxBody is how much of a message, or of an answer, is read, in bytes. A
// message with the longest names has less than 200.
const maxBody = 4 << 10

// answer is the body of every answer.
type answer struct {
	Message string `json:"message"`
}

// StatusError is an answer other than 200.
type StatusError struct {
	Code    int
	Message string // what the operator said of it, if anything
}

func (e *StatusError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("found status %d, expected 200", e.Code)
	}
	return fmt.Sprintf("found status %d, expected 200: %s", e.Code, e.Message)
}
