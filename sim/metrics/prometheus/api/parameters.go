package api

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
)

// parameters gives a request's parameters by name; "" for one that is not there.
type parameters struct{ get func(name string) string }

// maxInstant bounds instants, in seconds from 1970: the year 9999.
const maxInstant = 253_402_300_799

// time is an instant: seconds from 1970 with a fraction of thousandths, or RFC 3339.
// absent stands in for one that is not given; the zero Time says that it must be.
func (p parameters) time(name string, absent time.Time) (time.Time, error) {
	text := p.get(name)
	if text == "" && !absent.IsZero() {
		return absent, nil
	}
	if t, err := strconv.ParseFloat(text, 64); err == nil {
		if !(math.Abs(t) <= maxInstant) { // NaN too
			return time.Time{}, fmt.Errorf("found %q, expected an instant up to the year 9999", text)
		}
		whole, fraction := math.Modf(t)
		fraction = math.Round(fraction*1000) / 1000
		return time.Unix(int64(whole), int64(fraction*float64(time.Second))).UTC(), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("found %q, expected seconds from 1970 or RFC 3339", text)
	}
	return t, nil
}

// duration is in seconds, or as Prometheus writes it: 1h30m.
func (p parameters) duration(name string, absent time.Duration) (time.Duration, error) {
	text := p.get(name)
	if text == "" {
		return absent, nil
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		nanos := seconds * float64(time.Second)
		if !(math.Abs(nanos) < math.MaxInt64) { // NaN too
			return 0, fmt.Errorf("found %q, expected at most 292 years", text)
		}
		return time.Duration(nanos), nil
	}
	d, err := model.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("found %q, expected seconds or a duration such as 1h30m", text)
	}
	return time.Duration(d), nil
}

// limit is how many series an answer may have; 0: no limit.
func (p parameters) limit() (int, error) {
	text := p.get("limit")
	if text == "" {
		return 0, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 0 {
		return 0, fmt.Errorf("found %q, expected a number from 0 on", text)
	}
	return limit, nil
}

// options are those of the evaluation: how far back a sample is looked for.
func (p parameters) options() (promql.QueryOpts, error) {
	lookback, err := p.duration("lookback_delta", 0)
	if err == nil && lookback < 0 {
		err = errors.New("found a negative duration, expected none")
	}
	return promql.NewPrometheusQueryOpts(false, lookback, nil), err
}
