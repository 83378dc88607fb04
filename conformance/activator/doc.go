// Package activator holds the proxies of sim/cluster against Knative's own, in the
// virtual time of testing/synctest bubbles.
//
// TestConformanceActivator: real Throttlers, as many as there are activators, watch
// and probe the pods of a drawn world by way of fake clients, and a real breaker
// and handler of the queue-proxy stands in each pod. The same requests go through
// both sides; at every instant at which something happens, and one nanosecond
// before, the requests inside of each activator, those that wait, and what each pod
// has received, serves, holds and has completed are compared, and at the end the
// wait of every request.
//
// Two things are arranged so that nothing is left to the scheduler of goroutines:
// requests admitted at one instant choose their pods in the order of arrival, and
// an answer leaves the pod's proxy before it gets to the activator. The rest runs
// unchanged.
//
// Where upstream draws numbers (no containerConcurrency: the less loaded of two)
// only instants are compared. Where its own outcome is a race, requests that are
// all alike are compared by their number, and other worlds end: an activator that
// gets room while more of its requests are in pods than it had room for wakes more
// of those that wait than can go.
//
// Not driven: requests past the activators to several pods, activators that come
// and go, pods that are killed, the ClusterIP where pods cannot be probed, and
// what activators report.
package activator
