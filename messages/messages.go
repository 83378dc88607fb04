// Package messages holds the plain values that cross the borders between
// rooms: what an autoscaler sees (Observation), what it answers (Decision),
// what a request-holding proxy reports (RequestCount), and what is wrong with
// a setting (Invalid). It knows nothing of Kubernetes, clocks or files.
package messages
