package prometheus

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/messages"
)

// Options say whom to ask what. WithDefaults fills in what is absent and has a
// default.
type Options struct {
	ServerAddress string // base of the API, such as http://prometheus.monitoring:9090
	Query         string // PromQL whose result is one number
	Threshold     float64
	UptimeFilter  string        // matchers of up for the health query; default container="prometheus"
	Cooldown      time.Duration // how long Prometheus must have been up
	// Headers are sent with every query. Authorization is the whole value of
	// that header, "Bearer x" or "Basic x", and wins over one in Headers.
	Headers       map[string]Secret
	Authorization Secret
	Timeout       time.Duration // of one query, answer included; default 5 s
	// TLS is for the Scaler's own transport, which also obeys the usual proxy
	// variables, as KubeElasti's does.
	TLS TLS
	// Transport answers instead: nil for the Scaler's own.
	Transport http.RoundTripper
	// Clock gives the instant of the evaluation, cut to the second; nil leaves
	// it to the server's own clock.
	Clock clock.PassiveClock
}

// Secret is text that no formatting shows.
type Secret string

const hidden = "[hidden]"

// Format writes a placeholder for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText gives a placeholder, so that JSON and YAML have none of it.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue gives log/slog a placeholder.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// WithDefaults gives the options with KubeElasti's defaults.
func (o Options) WithDefaults() Options {
	if o.UptimeFilter == "" {
		o.UptimeFilter = `container="prometheus"`
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	return o
}

// Validate reports everything that cannot be used, as messages.Problems. The
// values of headers are not repeated, nor is an address that may hold a password.
func (o Options) Validate() error {
	var problems messages.Problems
	o.validateAddress(&problems)
	if strings.TrimSpace(o.Query) == "" {
		problems.Addf("Query", "found none, expected a PromQL query")
	}
	if math.IsNaN(o.Threshold) || math.IsInf(o.Threshold, 0) {
		problems.Addf("Threshold", "found %v, expected a finite number", o.Threshold)
	}
	if o.Cooldown <= 0 {
		problems.Addf("Cooldown", "found %v, expected more than 0s", o.Cooldown)
	}
	if o.Timeout < 0 {
		problems.Addf("Timeout", "found %v, expected more than 0s", o.Timeout)
	}
	for _, name := range o.headerNames() {
		if !isToken(name) {
			problems.Addf("Headers", "found the name %.70q, expected a header's name", name)
		}
		if !isFieldValue(o.Headers[name]) {
			problems.Addf("Headers", "found a control character in the value of %.70q", name)
		}
	}
	if !isFieldValue(o.Authorization) {
		problems.Addf("Authorization", "found a control character")
	}
	if o.Transport != nil && !o.TLS.isZero() {
		problems.Addf("TLS", "found settings, expected none beside a Transport, which has its own")
	}
	if _, err := o.TLS.config(); err != nil {
		problems.Add(messages.Under("TLS", err))
	}
	return problems.Err()
}

func (o Options) validateAddress(problems *messages.Problems) {
	const expected = "expected a URL such as http://prometheus.monitoring:9090"
	address, err := url.Parse(o.ServerAddress)
	switch {
	case o.ServerAddress == "":
		problems.Addf("ServerAddress", "found none, "+expected)
	case err != nil:
		problems.Addf("ServerAddress", expected)
	case address.User != nil:
		problems.Addf("ServerAddress", "found a user, expected it in Authorization")
	case address.Hostname() == "" || address.Scheme != "http" && address.Scheme != "https":
		problems.Addf("ServerAddress", "found %.100q, "+expected, o.ServerAddress)
	case address.RawQuery != "" || address.ForceQuery || address.Fragment != "" || strings.HasSuffix(o.ServerAddress, "#"):
		problems.Addf("ServerAddress", "found a query or a fragment, expected none")
	}
}

// secrets blackens what the server could echo: the authorization, whole and
// without its scheme, and the values of headers unless they are so short that
// errors could not be read any more.
func (o Options) secrets() *strings.Replacer {
	var pairs []string
	hide := func(secret string) {
		quoted := strconv.Quote(secret)
		pairs = append(pairs, secret, hidden, quoted[1:len(quoted)-1], hidden)
	}
	authorizations := []Secret{o.Authorization}
	for name, value := range o.Headers {
		if http.CanonicalHeaderKey(name) == "Authorization" {
			authorizations = append(authorizations, value)
		} else if len(value) >= 6 {
			hide(string(value))
		}
	}
	for _, a := range authorizations {
		if a == "" {
			continue
		}
		hide(string(a))
		if _, credentials, found := strings.Cut(string(a), " "); found && credentials != "" {
			hide(credentials)
		}
	}
	return strings.NewReplacer(pairs...)
}

// headerNames are sorted: an error, and which spelling of one name wins, must
// not depend on the order of a map.
func (o Options) headerNames() []string { return slices.Sorted(maps.Keys(o.Headers)) }

// isToken says whether name can be a header's name (RFC 9110, section 5.6.2).
func isToken(name string) bool {
	const special = "!#$%&'*+-.^_`|~"
	for _, c := range name {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' && c < 0x80
		if !letter && !('0' <= c && c <= '9') && !strings.ContainsRune(special, c) {
			return false
		}
	}
	return name != ""
}

func isFieldValue(value Secret) bool {
	return !strings.ContainsFunc(string(value), func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}
