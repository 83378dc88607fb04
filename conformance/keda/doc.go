// Package keda holds scaling/keda against KEDA v2.21 itself, in the virtual time of
// testing/synctest bubbles. It is a module of its own, because KEDA takes a quarter
// of an hour of processor time to build: make conformance-keda.
//
// TestConformanceHandler: the real scale handler runs its loop over a drawn
// ScaledObject, with its real executor, fallback, formulas and caches and the real
// scalers prometheus, cron and cpu. Prometheus is a server on the loopback that
// gives drawn answers, empty ones and errors; the HPA is ours, which asks the real
// handler for its metrics. Compared are every write of the scale, the instant of the
// last activity, the failures in a row, and every answer to the HPA.
//
// TestConformanceHPA: the real reconciler makes the HorizontalPodAutoscaler of a
// drawn ScaledObject; every field is compared.
//
// TestConformanceWebhook: what the webhook takes of counts, names, fallbacks,
// triggers and formulas.
//
// Not driven: brokers other than RabbitMQ's management API, external scalers,
// calls of the Kubernetes API that fail, and ScaledObjects that change.
package keda
