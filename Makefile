# What a person types while working on scalelab. CI runs .ci/run.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: build test race lint golden bench fidelity statistics controlplane conformance conformance-keda planted cover

build: ## bin/scalelab
	go build -o bin/scalelab ./cmd/scalelab

test:
	go test ./...

race:
	go test -race ./...

lint:
	test -z "$$(gofmt -l .)"
	go vet ./...
	go run $(STATICCHECK) ./...

golden: ## rewrite golden files and fingerprints; read the diff before committing
	go test ./report ./cmd/scalelab ./bench ./scaling/handler -update

bench: ## speed and outcome of every scenario, for benchstat
	go test -run '^$$' -bench . -count 6 ./bench

fidelity: ## the simulator against queueing theory: rewrites docs/fidelity.md
	go test ./sim/cluster -count 1 -run Fidelity -fidelity

statistics: ## what comparisons claim against what they do: rewrites docs/statistics.md
	go test ./bench -count 1 -run '^TestCalibration$$' -statistics

controlplane: ## our replica curves against recorded ones: rewrites docs/controlplane.md
	go test ./bench -count 1 -run '^TestControlPlane$$' -controlplane

cover:
	go test -coverprofile=coverage.out ./...
	go tool cover -func=coverage.out | tail -1

conformance: ## the real controllers beside ours; the first build takes minutes
	cd conformance && go test -p 1 ./...

conformance-keda: ## the real KEDA beside ours; the first build takes a quarter of an hour
	cd conformance/keda && go test ./...

planted: ## deviations planted on purpose, for the conformance to find
	cd conformance && go test ./planted -count 1 -v -args -planted
