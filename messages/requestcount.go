package messages

import (
	"errors"
	"fmt"
)

// RequestCount tells the operator that requests wait for a service that has no
// ready pod. The JSON names are KubeElasti's wire format.
type RequestCount struct {
	Count     int    `json:"count"`
	Svc       string `json:"svc"`
	Namespace string `json:"namespace"`
}

// Validate reports everything that makes the message unusable.
func (r RequestCount) Validate() error {
	var problems []error
	if r.Count < 1 {
		problems = append(problems, fmt.Errorf("count: found %d, expected at least 1", r.Count))
	}
	// Names come from Host headers: without a bound on their length, whoever
	// remembers them could be made to remember anything.
	switch {
	case r.Svc == "":
		problems = append(problems, errors.New("svc: expected a service name, found none"))
	case len(r.Svc) > maxLabel:
		problems = append(problems, fmt.Errorf("svc: found %d characters, expected at most %d", len(r.Svc), maxLabel))
	}
	switch {
	case r.Namespace == "":
		problems = append(problems, errors.New("namespace: expected a namespace, found none"))
	case len(r.Namespace) > maxLabel:
		problems = append(problems, fmt.Errorf("namespace: found %d characters, expected at most %d", len(r.Namespace), maxLabel))
	}
	return errors.Join(problems...)
}
