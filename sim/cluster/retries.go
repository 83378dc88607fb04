package cluster

import (
	"math"
	"slices"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/sim/random"
)

// What becomes of a service whose client has given up.
const (
	leaveService  = "leave"
	cancelService = "cancel"
)

// Retries is how clients try again: the retry policy of gRPC (proposal A6),
// with timeouts as in Envoy, where the timeout of a request spans its attempts
// and each of them has a shorter one.
type Retries struct {
	Attempts          int           `yaml:"attempts" min:"1" max:"100" doc:"how often a request is sent at most, the first time included; 1: no retries"`
	On                []string      `yaml:"on" enum:"timeout|rejected|failed" doc:"what makes a client try again: perAttemptTimeout, a full queue, no pod or a pod that was killed"`
	PerAttemptTimeout time.Duration `yaml:"perAttemptTimeout" doc:"how long a client waits for one attempt; 0s: as long as requestTimeout, which spans all attempts and the pauses between them"`
	Backoff           Backoff       `yaml:"backoff" doc:"pause before a retry"`
	Budget            *Budget       `yaml:"budget,omitempty" doc:"stops retries while too many attempts fail; default: no limit"`
}

// Backoff is the pause before the n-th retry, n = 1, 2 and so on. With
//
//	b = min(max, initial * factor^(n-1))
//
// it is b without jitter, uniform from 0 to b with full jitter, and uniform from
// b/2 to b with equal jitter (M. Brooker, Exponential Backoff And Jitter, AWS
// Architecture Blog, 2015). Full jitter is what gRPC does.
type Backoff struct {
	Initial time.Duration `yaml:"initial" doc:"longest pause before the first retry"`
	Factor  float64       `yaml:"factor" min:"1" max:"1000" doc:"growth of the pause from one retry to the next"`
	Max     time.Duration `yaml:"max" doc:"limit of the pause"`
	Jitter  string        `yaml:"jitter" enum:"none|full|equal" doc:"how a pause is drawn below its limit b: b, 0 to b, b/2 to b"`
}

// Budget is gRPC's retry throttling (proposal A6): a bucket of tokens, full at
// first, that all clients share. An attempt that ends in a way that Retries.On
// lists takes one token, a completed one adds TokenRatio; while the bucket is
// at most half full nothing is tried again.
type Budget struct {
	MaxTokens  int     `yaml:"maxTokens" min:"1" max:"1000" doc:"size of the bucket"`
	TokenRatio float64 `yaml:"tokenRatio" max:"1000" doc:"tokens that a completed attempt adds, counted in thousandths"`
}

// defaultRetries are none; what they would be like are the values in gRPC's
// proposal A6.
func defaultRetries() *Retries {
	return &Retries{
		Attempts: 1,
		On:       []string{"rejected", "failed"},
		Backoff:  Backoff{Initial: 100 * time.Millisecond, Factor: 2, Max: time.Second, Jitter: "full"},
	}
}

var fatesByName = map[string]fate{"timeout": timedOut, "rejected": rejected, "failed": failed}

func (s Spec) validateClients() error {
	var problems messages.Problems
	switch s.OnTimeout {
	case "", leaveService, cancelService:
	default:
		problems.Addf("onTimeout", "found %q, expected leave or cancel", s.OnTimeout)
	}
	if s.Retries != nil {
		problems.Add(messages.Under("retries", s.Retries.validate(s.RequestTimeout)))
	}
	total := 0
	for _, u := range s.Users {
		problems.Add(messages.Under("users", u.validate()))
		total += max(u.Count, 0)
	}
	if total > MaxUsers {
		problems.Addf("users", "found %d users, expected at most %d", total, MaxUsers)
	}
	return problems.Err()
}

func (r *Retries) validate(requestTimeout time.Duration) error {
	var problems messages.Problems
	if r.Attempts < 1 || r.Attempts > 100 {
		problems.Addf("attempts", "found %d, expected 1 to 100", r.Attempts)
	}
	if len(r.On) == 0 {
		problems.Addf("on", "found an empty list, expected some of timeout, rejected and failed; attempts: 1 means no retries")
	}
	for i, name := range r.On {
		if _, known := fatesByName[name]; !known || slices.Contains(r.On[:i], name) {
			problems.Addf("on", "found %q, expected timeout, rejected and failed at most once each", name)
		}
	}
	per := r.PerAttemptTimeout
	switch {
	case per < 0 || per > maxDelay:
		problems.Add(checkDelay("perAttemptTimeout", per))
	case per > 0 && requestTimeout > 0 && per >= requestTimeout:
		problems.Addf("perAttemptTimeout", "found %s, expected less than requestTimeout, which is %s and spans all attempts", per, requestTimeout)
	case per == 0 && slices.Contains(r.On, "timeout"):
		problems.Addf("on", "found timeout without perAttemptTimeout, expected both: requestTimeout leaves no time for another attempt")
	}
	problems.Add(messages.Under("backoff", r.Backoff.validate()))
	if r.Budget != nil {
		problems.Add(messages.Under("budget", r.Budget.validate()))
	}
	return problems.Err()
}

func (b Backoff) validate() error {
	var problems messages.Problems
	problems.Add(checkDelay("initial", b.Initial))
	problems.Add(checkDelay("max", b.Max))
	if !(b.Factor >= 1 && b.Factor <= 1000) {
		problems.Addf("factor", "found %v, expected 1 to 1000", b.Factor)
	}
	if b.Max < b.Initial {
		problems.Addf("max", "found %s, expected at least initial, which is %s", b.Max, b.Initial)
	}
	switch b.Jitter {
	case "none", "full", "equal":
	default:
		problems.Addf("jitter", "found %q, expected none, full or equal", b.Jitter)
	}
	return problems.Err()
}

func (b Budget) validate() error {
	var problems messages.Problems
	if b.MaxTokens < 1 || b.MaxTokens > 1000 {
		problems.Addf("maxTokens", "found %d, expected 1 to 1000", b.MaxTokens)
	}
	if !(b.TokenRatio >= 0.001 && b.TokenRatio <= 1000) {
		problems.Addf("tokenRatio", "found %v, expected 0.001 to 1000", b.TokenRatio)
	}
	return problems.Err()
}

// pauses draws the back-offs: functions of the seed, the request's index and
// the number of the retry.
type pauses struct {
	jitter string
	limits []time.Duration // of the pause before retry n, at n-1
	keys   []random.Key
}

func newPauses(r Retries, seed random.Seed) pauses {
	p := pauses{jitter: r.Backoff.Jitter}
	limit := float64(r.Backoff.Initial)
	for retry := 1; retry < r.Attempts; retry++ {
		limit = min(limit, float64(r.Backoff.Max))
		p.limits = append(p.limits, time.Duration(limit))
		p.keys = append(p.keys, seed.Key("backoff", uint64(retry)))
		limit *= r.Backoff.Factor
	}
	return p
}

// of is the pause before a retry of a request.
func (p *pauses) of(index uint64, retry int32) time.Duration {
	limit := p.limits[retry-1]
	stream := p.keys[retry-1].At(index)
	switch p.jitter {
	case "full":
		return time.Duration(stream.IntN(int(limit) + 1))
	case "equal":
		return limit - limit/2 + time.Duration(stream.IntN(int(limit/2)+1))
	}
	return limit
}

// bucket is a Budget under way, in thousandths of a token.
type bucket struct{ tokens, full, ratio int64 }

func newBucket(b Budget) bucket {
	full := 1000 * int64(b.MaxTokens)
	// 0.29 is just below itself in binary; the addend is below any third decimal.
	ratio := int64(math.Floor(float64(b.TokenRatio*1000) + 1e-6))
	return bucket{tokens: full, full: full, ratio: ratio}
}

func (b *bucket) success() { b.tokens = min(b.tokens+b.ratio, b.full) }

// failure takes a token and says whether there may be retries.
func (b *bucket) failure() bool {
	b.tokens = max(b.tokens-1000, 0)
	return b.tokens > b.full/2
}
