// Package knative holds scaling/knative against the real code of Knative
// Serving, in the virtual time of testing/synctest bubbles.
//
// TestConformanceEngine: the MultiScaler, the MetricCollector and the scraper run
// unchanged over drawn configurations, pods and reports; every tick's count,
// validity, averages, excess burst capacity and panic are compared, to the last
// bit.
//
// TestConformanceReconciler: the KPA's controller runs beside them, over fake
// clients and a small ServerlessService controller, with pods and an ingress that
// take their time; every write of the scale, every mode, number of activators and
// condition is compared with its instant.
//
// TestConformanceConfig, TestConformanceAnnotations, TestConformanceHPA: what the
// webhooks accept, and the HorizontalPodAutoscaler of the class hpa.
//
// Not driven: scraping by way of a service mesh, API calls that fail, informers
// that are behind, reports of several activators at one instant, and revisions
// or configurations that change.
package knative
