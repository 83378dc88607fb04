// Package prometheus is the prometheus trigger of a live scale handler: a client
// for the query API (/api/v1/query) that compares one value with a threshold.
//
// A value below the threshold is for zero, anything else for the workload: also
// NaN, and -1, which KubeElasti takes for "unknown". An answer that is not one
// finite or NaN number is an error. Prometheus must have been up for the whole
// cooldown, or low values may be missing samples. The simulator's elasti.Autoscaler
// reads the same values the same way.
//
// It differs from KubeElasti in what it takes for an answer. A health query
// whose answer cannot be read is an error and not healthy, and so is an answer
// with warnings, which Prometheus gives when a part of the data could not be
// had. A scalar is a value.
//
// Source: KubeElasti v0.1.30, pkg/scaling/scalers/prometheus_scaler.go, and the
// HTTP API of Prometheus 3.
package prometheus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/scalelab/scalelab/scaling"
)

// maxAnswer is how much of an answer is read, in bytes. One element with the
// longest labels that Prometheus takes by default is far below it.
const maxAnswer = 1 << 20

var _ scaling.Scaler = (*Scaler)(nil)

// Scaler asks a Prometheus server. It has no memory: every call is one query.
type Scaler struct {
	options Options
	api     string // the address of the query API
	health  string // the health query
	client  *http.Client
	own     *http.Transport   // nil: the caller's
	secrets *strings.Replacer // blackens them
}

// New gives a Scaler for valid options, with their defaults filled in. It asks
// nothing yet. Errors are messages.Problems.
func New(o Options) (*Scaler, error) {
	o = o.WithDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s := &Scaler{
		options: o,
		api:     strings.TrimRight(o.ServerAddress, "/") + "/api/v1/query",
		health: fmt.Sprintf("min_over_time((max(up{%s}) or vector(0))[%ds:])",
			o.UptimeFilter, int64(math.Ceil(o.Cooldown.Seconds()))),
		client:  &http.Client{Transport: o.Transport, CheckRedirect: stayAtHome},
		secrets: o.secrets(),
	}
	if o.Transport == nil {
		settings, err := o.TLS.config()
		if err != nil {
			return nil, err
		}
		s.own = newTransport(settings)
		s.client.Transport = s.own
	}
	return s, nil
}

// IsHealthy says whether Prometheus was up for the whole cooldown, by the least
// value of up under the uptime filter.
func (s *Scaler) IsHealthy(ctx context.Context) (bool, error) {
	up, err := s.query(ctx, s.health)
	return err == nil && up == 1, err
}

// ShouldScaleToZero says whether the value is below the threshold.
func (s *Scaler) ShouldScaleToZero(ctx context.Context) (bool, error) {
	value, err := s.query(ctx, s.options.Query)
	return err == nil && s.idle(value), err
}

// ShouldScaleFromZero says whether the value is not below the threshold.
func (s *Scaler) ShouldScaleFromZero(ctx context.Context) (bool, error) {
	value, err := s.query(ctx, s.options.Query)
	return err != nil || !s.idle(value), err
}

func (s *Scaler) idle(value float64) bool { return value != -1 && value < s.options.Threshold }

// Close closes the connections, unless they belong to the caller's transport.
func (s *Scaler) Close() error {
	if s.own != nil {
		s.own.CloseIdleConnections()
	}
	return nil
}

// query asks for one number. No error names a secret.
func (s *Scaler) query(ctx context.Context, expr string) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	value, err := s.ask(ctx, expr)
	if err == nil {
		return value, nil
	}
	err = fmt.Errorf("prometheus: query %q to %s: %w", expr, s.options.ServerAddress, err)
	if text := s.secrets.Replace(err.Error()); text != err.Error() {
		return 0, errors.New(text)
	}
	return 0, err
}

func (s *Scaler) ask(ctx context.Context, expr string) (float64, error) {
	request, err := s.request(ctx, expr)
	if err != nil {
		return 0, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		// The address is named already, and long with a query in it.
		if outer, ok := errors.AsType[*url.Error](err); ok {
			err = outer.Err
		}
		return 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return 0, fmt.Errorf("read the answer: %w", err)
	case response.StatusCode != http.StatusOK:
		return 0, s.refusal(response.StatusCode, body)
	case len(body) > maxAnswer:
		return 0, fmt.Errorf("found more than %d bytes of answer", maxAnswer)
	}
	return s.read(body)
}

// request is a GET as KubeElasti sends it: the instant in RFC 3339 without a
// fraction, and spaces as %20.
func (s *Scaler) request(ctx context.Context, expr string) (*http.Request, error) {
	address := s.api + "?query=" + strings.ReplaceAll(url.QueryEscape(expr), "+", "%20")
	if s.options.Clock != nil {
		address += "&time=" + s.options.Clock.Now().UTC().Format(time.RFC3339)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	for _, name := range s.options.headerNames() {
		value := string(s.options.Headers[name])
		request.Header.Set(name, value)
		if http.CanonicalHeaderKey(name) == "Host" {
			request.Host = value
		}
	}
	if s.options.Authorization != "" {
		request.Header.Set("Authorization", string(s.options.Authorization))
	}
	return request, nil
}

// stayAtHome follows a redirect to the same host, to https at most: the headers
// may carry secrets.
func stayAtHome(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	switch {
	case next.URL.Hostname() != first.Hostname():
		return fmt.Errorf("found a redirect to another host, %s", strconv.Quote(next.URL.Hostname()))
	case first.Scheme == "https" && next.URL.Scheme != "https":
		return errors.New("found a redirect from https to http")
	case len(before) > 3:
		return errors.New("found more than 3 redirects")
	}
	return nil
}
