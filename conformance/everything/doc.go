// Package everything holds a run of scalelab against one in which everything
// but the kubelet is real: the HPA, Deployment, ReplicaSet and EndpointSlice
// controllers of k8s.io/kubernetes, with their informers, work queues and
// back-offs, in one testing/synctest bubble on the fake API server of
// k8shelper/fakecluster.
//
// Both play a scenario file. Its HPA has to read External metrics of the
// offered load, which do not depend on the pods, so that both sides see the
// same numbers; and its lifecycle has to be made of constants.
//
// It ignores what an API server adds to the time that things take: calls are
// answered at the instant they are made, and the rate limits of
// kube-controller-manager's clients (20 calls per second) do not bind. There is
// no scheduler: pods are bound to one node after the scenario's time. Pods that
// are deleted go after one second; nothing that is compared counts them.
package everything
