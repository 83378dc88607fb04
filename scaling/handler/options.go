package handler

import (
	"log/slog"
	"time"

	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling"
	"github.com/scalelab/scalelab/scaling/elasti"
)

// Options are what a Handler works with. WithDefaults fills in what is zero,
// apart from Clients, Clock, Log, Namespace and Resolver.
type Options struct {
	Clients k8shelper.Clients
	Clock   clock.WithTicker
	Log     *slog.Logger

	// Namespace limits the handler to ElastiServices of one; empty: all.
	Namespace string
	// Resolver is where requests are held. Empty, the handler only scales and
	// leaves traffic, and status.mode, to somebody else.
	Resolver Resolver
	// Scalers makes the Scaler of a trigger; nil: Prometheus triggers that name
	// their own server.
	Scalers ScalerFactory

	PollingInterval time.Duration // between two polls
	// ModeInterval is the time between two looks at the pods of a service that
	// has been scaled up and whose traffic still goes through the resolver.
	ModeInterval time.Duration
	// Resync is how long what was written about a service's traffic is trusted.
	Resync         time.Duration
	CallTimeout    time.Duration // of one attempt at the API server
	TriggerTimeout time.Duration // of one trigger's whole answer
	Retry          Retry
	// Workers is how many services are polled at the same time. With 1, they
	// are polled one after another, by namespace and name.
	Workers int
}

// Resolver is the service whose endpoints hold requests, and the port there.
type Resolver struct {
	Namespace, Service string
	Port               int32
}

// Source is a trigger, and what its Scaler has to know of the ElastiService.
type Source struct {
	Namespace, Name string // of the ElastiService
	Index           int    // of the trigger
	Cooldown        time.Duration
	Trigger         elasti.Trigger
}

// ScalerFactory makes the Scaler of a trigger. An error means that the
// ElastiService cannot be used as it is.
type ScalerFactory func(Source) (scaling.Scaler, error)

// WithDefaults gives the options with KubeElasti's polling interval (30 s) and
// resync (5 min), and with our own for what KubeElasti does not have.
func (o Options) WithDefaults() Options {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&o.PollingInterval, 30 * time.Second},
		{&o.ModeInterval, time.Second},
		{&o.Resync, 5 * time.Minute},
		{&o.CallTimeout, 10 * time.Second},
		{&o.TriggerTimeout, 10 * time.Second},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	if o.Retry == (Retry{}) {
		o.Retry = Retry{Attempts: 6, Initial: 200 * time.Millisecond, Maximum: 5 * time.Second}
	}
	if o.Workers == 0 {
		o.Workers = 1
	}
	return o
}

// Validate reports everything that cannot be used, as messages.Problems.
func (o Options) Validate() error {
	var problems messages.Problems
	if err := o.Clients.Validate(); err != nil {
		problems.Addf("Clients", "%v", err)
	}
	if o.Clock == nil {
		problems.Addf("Clock", "found none, expected a clock")
	}
	if o.Log == nil {
		problems.Addf("Log", "found none, expected a logger")
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"PollingInterval", o.PollingInterval},
		{"ModeInterval", o.ModeInterval},
		{"Resync", o.Resync},
		{"CallTimeout", o.CallTimeout},
		{"TriggerTimeout", o.TriggerTimeout},
		{"Retry.Initial", o.Retry.Initial},
		{"Retry.Maximum", o.Retry.Maximum},
	} {
		if d.value <= 0 {
			problems.Addf(d.field, "found %v, expected more than 0s", d.value)
		}
	}
	if o.Retry.Attempts < 1 {
		problems.Addf("Retry.Attempts", "found %d, expected at least 1", o.Retry.Attempts)
	}
	if o.Workers < 1 {
		problems.Addf("Workers", "found %d, expected at least 1", o.Workers)
	}
	if r := o.Resolver; r != (Resolver{}) && (r.Namespace == "" || r.Service == "" || r.Port < 1 || r.Port > 65535) {
		problems.Addf("Resolver", "found service %q in namespace %q and port %d, expected all three", r.Service, r.Namespace, r.Port)
	}
	return problems.Err()
}
