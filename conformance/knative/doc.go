// Package knative holds scaling/knative against the real code of Knative
// Serving, in the virtual time of testing/synctest bubbles.
//
// TestEngine: the MultiScaler, the MetricCollector and the scraper run unchanged
// over drawn configurations, pods and reports; every tick's count, validity,
// averages, excess burst capacity and panic are compared, to the last bit.
//
// TestReconciler: the KPA's controller and the one of metrics run beside them,
// over fake clients and a small ServerlessService controller, with pods and an
// ingress that take their time; every write of the scale, every mode and every
// condition is compared with its instant.
//
// TestRules: what the webhooks accept of config-autoscaler and annotations, and
// the HorizontalPodAutoscaler of the class hpa.
//
// Not driven: scraping by way of a service mesh, API calls that fail, several
// activators' reports racing with the engine they wake up, and revisions or
// configurations that change.
package knative
