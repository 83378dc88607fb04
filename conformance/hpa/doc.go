// Package hpa holds scaling/hpa against the real HorizontalController of
// Kubernetes, sync by sync, in the virtual time of a testing/synctest bubble.
//
// A world (manifest, flags, pods, metrics) is drawn from one number. The
// controller runs unchanged over client-go's fakes and its own metrics client;
// at every sync both sides see the same, and the count, the conditions, the
// events and the status they come to are compared.
//
// Not driven: a scale subresource that cannot be read or written, a selector
// that is empty, invalid or claimed twice, a manifest that changes, and a Ready
// condition that is Unknown. messages.Observation has no room for them.
package hpa
