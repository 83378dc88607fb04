package metrics

import "time"

// Gap is a stretch in which a part of the pipeline collects nothing: kubelet,
// metrics-server or prometheus. Silent: it answers nothing either.
type Gap struct {
	Source   string
	From, To time.Duration
	Silent   bool
}
