package scenarios_test

import (
	"fmt"

	"github.com/scalelab/scalelab/scenarios"
)

func ExampleParse() {
	s, err := scenarios.Parse("checkout.yaml", []byte(`
apiVersion: scalelab/v1alpha1
kind: Scenario
metadata: {name: checkout}
traffic:
  - {name: base, for: 30m, rps: 80}
  - {name: spike, for: 5m, ramp: {from: 80, to: 900}}
autoscalers:
  fixed: {replicas: 20}
`), scenarios.Files("."))
	if err != nil {
		fmt.Println(err)
		return
	}
	spec, err := s.Spec("fixed", 42)
	fmt.Println(spec.Scenario, spec.Duration, *spec.Strategy.Replicas, err)
	// Output: checkout 35m0s 20 <nil>
}

func ExampleError() {
	_, err := scenarios.Parse("checkout.yaml", []byte(`
apiVersion: scalelab/v1alpha1
kind: Scenario
metadata: {name: checkout}
traffic:
  - {name: base, for: -5s, rps: 80}
workload:
  perPod: {concurency: 8}
`), scenarios.Files("."))
	fmt.Println(err)
	// Output:
	// checkout.yaml:6:23: traffic[0].for: found -5s, expected a duration such as 30s
	// checkout.yaml:8:12: workload.perPod.concurency: found an unknown key, expected one of concurrency, queue, discipline, cores, cpuPerRequest, memory, serviceTime (did you mean "concurrency"?)
}
