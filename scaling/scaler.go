package scaling

import "context"

// Scaler is one trigger of a live scale handler: something in the world that
// knows whether a workload has work. Its methods may be called from several
// goroutines, and return when ctx ends.
//
// Doubt is for the workload. Beside an error, and while it is not healthy, a
// Scaler's answers must not be taken for votes: the handler leaves the replicas
// as they are. That scales nothing to zero on missing data, and strands nothing
// at zero, since a held request wakes a service without asking a Scaler. A
// caller that drops the error is still safe: then ShouldScaleToZero is false
// and ShouldScaleFromZero is true.
//
//	IsHealthy  error  ToZero  FromZero  the handler
//	yes        no     true    false     to zero, once the cooldown is over
//	yes        no     false   true      up
//	yes        no     false   false     holds: no work seen, but not for long enough
//	no         any    -       -         holds
//	yes        yes    false   true      holds
type Scaler interface {
	// IsHealthy says whether the Scaler knew enough, for long enough, for its
	// answers to count. It is false beside an error.
	IsHealthy(ctx context.Context) (bool, error)
	// ShouldScaleToZero says that there is no work. It is false beside an error.
	ShouldScaleToZero(ctx context.Context) (bool, error)
	// ShouldScaleFromZero says that there is work, or that there may be: it is
	// true beside an error.
	ShouldScaleFromZero(ctx context.Context) (bool, error)
	// Close lets go of connections. The Scaler is not used after it; a second
	// Close does nothing.
	Close() error
}
