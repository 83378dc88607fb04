package notify

import (
	"math"
	"net/http"
	"net/url"
	"time"

	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/messages"
)

// Options are a Client's settings. WithDefaults fills in what is zero, apart
// from BaseURL and Clock.
type Options struct {
	BaseURL string       // of the operator: http://elasti-operator-controller-service.elasti:8013
	HTTP    *http.Client // has the timeout of one attempt
	Clock   clock.Clock
	// Window is how long a service is not announced again after a notification
	// was answered with 200.
	Window time.Duration
	// MaxServices bounds the memory of the windows. Beyond it the oldest window
	// is forgotten, at the price of a notification that was not needed.
	MaxServices int
	Retry       Retry
}

// Retry is what happens after a connection error or an answer of 500 and above:
// attempt n + 1 comes min(Max, First * Factor^(n-1)) after attempt n. The
// defaults wait 0.1, 0.2, 0.4 and 0.8 s. There is no jitter: at most one
// notification per service is under way.
type Retry struct {
	Attempts int // the first one included; 1 is no retry
	First    time.Duration
	Factor   float64
	Max      time.Duration
}

// WithDefaults gives the options with KubeElasti's window of 30 s
// (OPERATOR_RETRY_DURATION) and, where KubeElasti has nothing, our own: 5 s for
// an attempt, 5 attempts, 10,000 services.
func (o Options) WithDefaults() Options {
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: 5 * time.Second}
	}
	if o.Window == 0 {
		o.Window = 30 * time.Second
	}
	if o.MaxServices == 0 {
		o.MaxServices = 10_000
	}
	if o.Retry == (Retry{}) {
		o.Retry = Retry{Attempts: 5, First: 100 * time.Millisecond, Factor: 2, Max: 5 * time.Second}
	}
	return o
}

// Validate reports everything that cannot be used, as messages.Problems. The
// base URL is not repeated: it may carry a password.
func (o Options) Validate() error {
	var problems messages.Problems
	switch base, err := url.Parse(o.BaseURL); {
	case o.BaseURL == "":
		problems.Addf("BaseURL", "found none, expected a URL such as http://operator:%d", Port)
	case err != nil || base.Hostname() == "" || base.Scheme != "http" && base.Scheme != "https":
		problems.Addf("BaseURL", "expected a URL such as http://operator:%d", Port)
	case base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		problems.Addf("BaseURL", "found a user, a query or a fragment, expected none")
	}
	if o.Clock == nil {
		problems.Addf("Clock", "found none, expected a clock")
	}
	if o.Window < 0 {
		problems.Addf("Window", "found %v, expected more than 0s", o.Window)
	}
	if o.MaxServices < 0 {
		problems.Addf("MaxServices", "found %d, expected at least 1", o.MaxServices)
	}
	problems.Add(messages.Under("Retry", o.Retry.validate()))
	return problems.Err()
}

func (r Retry) validate() error {
	if r == (Retry{}) {
		return nil
	}
	var problems messages.Problems
	if r.Attempts < 1 {
		problems.Addf("Attempts", "found %d, expected at least 1", r.Attempts)
	}
	if r.First < 0 {
		problems.Addf("First", "found %v, expected at least 0s", r.First)
	}
	if r.Attempts > 1 && !(r.Factor >= 1 && r.Factor <= math.MaxInt32) {
		problems.Addf("Factor", "found %v, expected 1 to %d", r.Factor, math.MaxInt32)
	}
	if r.Max < r.First {
		problems.Addf("Max", "found %v, expected at least First (%v)", r.Max, r.First)
	}
	return problems.Err()
}

// wait is how long to wait after attempt n, counted from 1.
func (r Retry) wait(n int) time.Duration {
	wait := float64(r.First)
	for range n - 1 {
		wait = min(wait*r.Factor, float64(r.Max))
	}
	return time.Duration(wait)
}
