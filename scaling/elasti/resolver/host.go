package resolver

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/scalelab/scalelab/messages"
)

const (
	// hostLengthMax is that of a DNS name, and some for a port and a path.
	hostLengthMax = 300
	// cachedHostsMax bounds the memory that made-up host names can take.
	cachedHostsMax = 4096
)

// HostFromHeader finds a request's service in a header (KubeElasti's
// HEADER_FOR_HOST; "" and "Host" are the request's own host) that has one of
// the forms service.namespace, service.namespace.svc and
// service.namespace.svc.<clusterDomain>, each with an optional port and the
// "/*" of Istio's X-Envoy-Decorator-Operation. private is the name of the
// private service of a service. Hosts are parsed once and remembered.
func HostFromHeader(header, clusterDomain string, private func(service string) string) (TargetFunc, error) {
	if private == nil {
		return nil, errors.New("private: found none, expected the naming of private services")
	}
	domain := strings.ToLower(strings.Trim(clusterDomain, "."))
	if domain == "" {
		return nil, messages.Invalidf("clusterDomain", "found %q, expected a domain such as cluster.local", clusterDomain)
	}
	hosts := hostCache{domain: domain, private: private, known: map[string]messages.Host{}}
	return func(r *http.Request) (messages.Host, error) {
		if header == "" || http.CanonicalHeaderKey(header) == "Host" {
			return hosts.get(r.Host)
		}
		return hosts.get(r.Header.Get(header))
	}, nil
}

// hostCache remembers parsed hosts, and starts afresh when it is full.
type hostCache struct {
	domain  string
	private func(service string) string
	mu      sync.Mutex
	known   map[string]messages.Host
}

func (c *hostCache) get(text string) (messages.Host, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if host, ok := c.known[text]; ok {
		return host, nil
	}
	host, err := parseHost(text, c.domain, c.private)
	if err != nil {
		return messages.Host{}, err
	}
	if len(c.known) >= cachedHostsMax {
		clear(c.known)
	}
	c.known[text] = host
	return host, nil
}

// parseHost reads service.namespace[.svc[.domain]][.][:port][/*].
func parseHost(text, domain string, private func(service string) string) (messages.Host, error) {
	fail := func(problem string) (messages.Host, error) {
		return messages.Host{}, fmt.Errorf("host %.70q: %s", text, problem)
	}
	if text == "" || len(text) > hostLengthMax {
		return fail(fmt.Sprintf("found %d characters, expected 1 to %d", len(text), hostLengthMax))
	}
	name, port, hasPort := strings.Cut(strings.ToLower(strings.TrimSuffix(text, "/*")), ":")
	suffix := ""
	if hasPort {
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 {
			return fail("expected a port of 1 to 65535")
		}
		suffix = ":" + strconv.FormatUint(number, 10)
	}
	service, rest, _ := strings.Cut(strings.TrimSuffix(name, "."), ".")
	namespace, rest, _ := strings.Cut(rest, ".")
	if rest != "" && rest != "svc" && rest != "svc."+domain {
		return fail("expected service.namespace, service.namespace.svc or service.namespace.svc." + domain)
	}
	suffix = "." + namespace + ".svc." + domain + suffix
	target := private(service)
	host := messages.Host{
		IncomingHost: text, Namespace: namespace,
		SourceService: service, SourceHost: "http://" + service + suffix,
		TargetService: target, TargetHost: "http://" + target + suffix,
		TrafficAllowed: true,
	}
	if err := host.Validate(); err != nil {
		return fail(err.Error())
	}
	return host, nil
}
