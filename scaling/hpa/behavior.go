package hpa

import (
	"math"
	"time"

	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/scaling/trail"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// direction is the way a count moves. All that scaling up and scaling down
// differ in is said by it.
type direction int32

const (
	up   direction = 1
	down direction = -1
)

// further is the one of two counts that lies further along the direction.
func (d direction) further(a, b int32) int32 {
	if (d == up) == (a > b) {
		return a
	}
	return b
}

// nearer is the other one.
func (d direction) nearer(a, b int32) int32 {
	if (d == up) == (a < b) {
		return a
	}
	return b
}

// round makes whole pods of a fraction: up to the next, or towards zero.
func (d direction) round(x float64) int32 {
	if d == up {
		return toInt32(math.Ceil(x))
	}
	return toInt32(math.Trunc(x))
}

// String is the direction's name in a manifest.
func (d direction) String() string {
	if d == up {
		return "scaleUp"
	}
	return "scaleDown"
}

// behavior is spec.behavior after defaults.
type behavior struct{ up, down rules }

func (b *behavior) of(d direction) *rules {
	if d == up {
		return &b.up
	}
	return &b.down
}

// rules is one direction of a behavior.
type rules struct {
	window   time.Duration
	choice   autoscalingv2.ScalingPolicySelect
	policies []policy
	longest  time.Duration // of the policies' periods
}

// policy allows a change of value pods, or value percent, in any period.
type policy struct {
	percent bool
	value   int32
	period  time.Duration
}

// newBehavior is nil for none. defaultDown is the scale-down window of a
// behavior that gives none.
func newBehavior(b *autoscalingv2.HorizontalPodAutoscalerBehavior, defaultDown time.Duration) *behavior {
	if b == nil {
		return nil
	}
	// The controller writes its flag into the manifest's whole seconds.
	return &behavior{up: newRules(b.ScaleUp, 0), down: newRules(b.ScaleDown, defaultDown.Truncate(time.Second))}
}

func newRules(given *autoscalingv2.HPAScalingRules, window time.Duration) rules {
	r := rules{window: window, choice: *given.SelectPolicy}
	if w := given.StabilizationWindowSeconds; w != nil {
		r.window = time.Duration(*w) * time.Second
	}
	for _, p := range given.Policies {
		period := time.Duration(p.PeriodSeconds) * time.Second
		r.policies = append(r.policies, policy{percent: p.Type == autoscalingv2.PercentScalingPolicy, value: p.Value, period: period})
		r.longest = max(r.longest, period)
	}
	return r
}

// reach is how far the policies let the count go from cur: Max takes the policy
// that allows the largest change, Min the smallest, Disabled none.
func (r *rules) reach(d direction, cur int32, past *rescales, now time.Time) int32 {
	if r.choice == autoscalingv2.DisabledPolicySelect {
		return cur
	}
	limit := r.policies[0].reach(d, cur, past, now)
	for _, p := range r.policies[1:] {
		if next := p.reach(d, cur, past, now); r.choice == autoscalingv2.MinChangePolicySelect {
			limit = d.nearer(limit, next)
		} else {
			limit = d.further(limit, next)
		}
	}
	return limit
}

// reach counts from where the period began: 10 pods now after 4 were added in
// the period make 6, and 100 % of it allow 12. A number of pods beyond int32
// turns negative, as it does upstream: 2147483647 more than some allows none.
func (p policy) reach(d direction, cur int32, past *rescales, now time.Time) int32 {
	start := past.startOf(p.period, cur, now)
	if p.percent {
		return d.round(float64(start) * (1 + float64(d)*float64(p.value)/100))
	}
	return int32(start) + int32(d)*p.value
}

// describe writes what every policy allows by itself, counted from where its
// period began.
func (r *rules) describe(t *trail.Trail, d direction, cur int32, past *rescales, now time.Time) {
	if t.Quiet || r.choice == autoscalingv2.DisabledPolicySelect {
		return
	}
	between := ": "
	for _, p := range r.policies {
		if t.Text(between); p.percent {
			t.Int(int64(p.value)).Text("%")
		} else {
			t.Pods(int64(p.value))
		}
		t.Text(" in ").Duration(p.period).
			Text(" from ").Int(past.startOf(p.period, cur, now)).Text(" to ").Count(p.reach(d, cur, past, now))
		between = ", "
	}
}

// limitRate keeps a change within what the policies allow; without a behavior
// a count may double, or grow to 4, and shrink at once.
func (a *Autoscaler) limitRate(v view, want int32) int32 {
	if a.behavior == nil {
		limit := toInt32(max(2*float64(v.cur), 4))
		if want <= limit {
			return want
		}
		a.trail.Text("at most the larger of 4 and twice ").Count(v.cur).Step(messages.StagePolicy, limit)
		return limit
	}
	if want == v.cur {
		return want
	}
	d := up
	if want < v.cur {
		d = down
	}
	r := a.behavior.of(d)
	// Older rescales can put the reach behind the current count; nothing is
	// taken back for that.
	limit := d.further(r.reach(d, v.cur, &a.rescales, v.now), v.cur)
	allowed := d.nearer(want, limit)
	if allowed != want {
		a.trail.Text(d.String()).Text(": ").Text(string(r.choice)).Text(" of the policies allows ").Count(limit)
		r.describe(&a.trail, d, v.cur, &a.rescales, v.now)
		a.trail.Step(messages.StagePolicy, allowed)
	}
	return allowed
}

// rescale is a change of the count that the autoscaler made.
type rescale struct {
	pods int32 // how many were added or removed
	at   time.Time
}

// rescales is the memory that policies count in, a list per direction.
type rescales struct{ ups, downs []rescale }

// startOf is the count at the start of the period that ends now, as far as the
// memory goes.
func (r *rescales) startOf(period time.Duration, cur int32, now time.Time) int64 {
	cutoff := now.Add(-period)
	return int64(cur) - sumAfter(r.ups, cutoff) + sumAfter(r.downs, cutoff)
}

func sumAfter(list []rescale, cutoff time.Time) (pods int64) {
	for _, e := range list {
		if e.at.After(cutoff) {
			pods += int64(e.pods)
		}
	}
	return pods
}

// record stores the change from one count to another. It overwrites the last
// entry that is older than the longest period of its own direction, even
// where a longer period of the other direction would still count it.
func (r *rescales) record(b *behavior, now time.Time, from, to int32) {
	list, rules, pods := &r.ups, &b.up, to-from
	if to < from {
		list, rules, pods = &r.downs, &b.down, from-to
	}
	cutoff := now.Add(-rules.longest)
	entry := rescale{pods: pods, at: now}
	for i := len(*list) - 1; i >= 0; i-- {
		if (*list)[i].at.Before(cutoff) {
			(*list)[i] = entry
			return
		}
	}
	*list = append(*list, entry)
}

// toInt32 converts as the controller does on amd64, where whatever does not fit
// becomes the smallest number: a metric 2^31 times above its target asks for
// less than nothing. Go leaves that to the architecture; here it is always so.
func toInt32(x float64) int32 {
	if x > math.MinInt32-1 && x < math.MaxInt32+1 {
		return int32(x)
	}
	return math.MinInt32
}
