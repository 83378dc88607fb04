package handler

// Mode is where a service's traffic goes. The names are KubeElasti's, as in
// status.mode.
type Mode string

// The modes.
const (
	ModeProxy Mode = "proxy" // through the resolver, which holds requests while no pod is ready
	ModeServe Mode = "serve" // straight to the pods
)

// decideMode is rule 6: through the resolver while the target has no replicas,
// wanted or existing, or has no pod that is ready and stays. Pods are only
// counted if that matters; if they cannot be, the mode is unknown.
func decideMode(desired, created int32, readyPods func() (int, error)) (Mode, error) {
	if desired <= 0 || created <= 0 {
		return ModeProxy, nil
	}
	ready, err := readyPods()
	switch {
	case err != nil:
		return "", err
	case ready == 0:
		return ModeProxy, nil
	}
	return ModeServe, nil
}
