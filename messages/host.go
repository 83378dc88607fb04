package messages

import (
	"net/url"
	"strings"
)

// maxLabel is the length of a DNS label, in bytes (RFC 1123): of the name of a
// namespace and of a service.
const maxLabel = 63

// Host is what a request-holding proxy knows of one host name that requests
// come in under. The JSON names are KubeElasti's: its struct has no tags, so
// that they are the names of the fields. There a Host stays inside the
// resolver's process and crosses no wire.
type Host struct {
	IncomingHost   string `json:"IncomingHost"`   // as the request names it, port included
	Namespace      string `json:"Namespace"`      // of both services
	SourceService  string `json:"SourceService"`  // the service that clients call
	TargetService  string `json:"TargetService"`  // the private service, which only has the workload's pods
	SourceHost     string `json:"SourceHost"`     // URL of the source service, such as http://web.shop.svc:8080
	TargetHost     string `json:"TargetHost"`     // URL of the target service
	TrafficAllowed bool   `json:"TrafficAllowed"` // false while routing converges after a wake-up
}

// Validate reports everything that makes the Host unusable, as Problems. A
// target that is the source is refused: the proxy would call itself.
func (h Host) Validate() error {
	var problems Problems
	if h.IncomingHost == "" {
		problems.Addf("IncomingHost", "found none, expected a host name")
	}
	for _, name := range []struct{ field, value string }{
		{"Namespace", h.Namespace},
		{"SourceService", h.SourceService},
		{"TargetService", h.TargetService},
	} {
		if !isLabel(name.value) {
			problems.Addf(name.field, "found %.70q, expected a DNS label of 1 to %d characters (a-z, 0-9, -)", name.value, maxLabel)
		}
	}
	for _, address := range []struct{ field, value string }{
		{"SourceHost", h.SourceHost},
		{"TargetHost", h.TargetHost},
	} {
		if !isBaseURL(address.value) {
			problems.Addf(address.field, "found %.70q, expected a URL such as http://web.shop.svc:8080", address.value)
		}
	}
	if h.SourceService != "" && h.SourceService == h.TargetService {
		problems.Addf("TargetService", "found the source service %.70q, expected the private service", h.TargetService)
	}
	if h.SourceHost != "" && h.SourceHost == h.TargetHost {
		problems.Addf("TargetHost", "found the source host %.70q, expected the private service's", h.TargetHost)
	}
	return problems.Err()
}

// isLabel says whether name is a DNS label (RFC 1123) in lower case.
func isLabel(name string) bool {
	if name == "" || len(name) > maxLabel || name[0] == '-' || name[len(name)-1] == '-' {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// isBaseURL says whether address is http or https and a host, without a path, a
// query or a user.
func isBaseURL(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return false
	}
	return (u.Scheme == "http" || u.Scheme == "https") && address == u.Scheme+"://"+u.Host
}
