package sim

import (
	"time"

	"github.com/scalelab/scalelab/messages"
)

// Prices are what a run is billed at, in a currency of the user's. A pod is paid
// for from its creation until it is gone: as a whole, or by what it requests.
type Prices struct {
	PodHour         *float64         `yaml:"podHour,omitempty" min:"0" doc:"price of one pod for one hour; else vcpuHour and gibHour"`
	VCPUHour        *float64         `yaml:"vcpuHour,omitempty" min:"0" doc:"price of one requested core for one hour"`
	GiBHour         *float64         `yaml:"gibHour,omitempty" min:"0" doc:"price of one requested GiB of memory for one hour"`
	MillionRequests *float64         `yaml:"millionRequests,omitempty" min:"0" doc:"price of a million attempts that arrive, as of a gateway; default: none"`
	Serverless      *ServerlessPrice `yaml:"serverless,omitempty" doc:"how serverless strategies are billed; default: their instances as pods"`
	LostRequest     *float64         `yaml:"lostRequest,omitempty" min:"0" doc:"price of a request that gets no answer in time; default: none"`
	LateRequest     *LateRequest     `yaml:"lateRequest,omitempty" doc:"price of an answer that comes late; default: none"`
}

// ServerlessPrice bills a serverless platform by use. What is free is free once
// in the run, for all services of a fleet together.
type ServerlessPrice struct {
	GiBSecond       float64  `yaml:"gibSecond" required:"true" min:"0" doc:"price of one GiB of an instance's memory for one second in service"`
	MillionRequests float64  `yaml:"millionRequests" required:"true" min:"0" doc:"price of a million requests that get an instance"`
	FreeGiBSeconds  *float64 `yaml:"freeGibSeconds,omitempty" min:"0" doc:"GiB-seconds that cost nothing; default 0"`
	FreeRequests    *float64 `yaml:"freeRequests,omitempty" min:"0" doc:"requests that cost nothing; default 0"`
}

// LateRequest prices completed requests that took too long.
type LateRequest struct {
	After time.Duration `yaml:"after" required:"true" doc:"latency, arrival to last byte, above which an answer is late"`
	Price float64       `yaml:"price" required:"true" min:"0" doc:"price of one late answer"`
}

// Validate reports what is missing or contradicts itself, as messages.Problems.
func (p Prices) Validate() error {
	var problems messages.Problems
	switch {
	case p.PodHour != nil && p.VCPUHour != nil:
		problems.Addf("vcpuHour", "found it beside podHour, expected one of the two")
	case p.PodHour != nil && p.GiBHour != nil:
		problems.Addf("gibHour", "found it beside podHour, expected one of the two")
	case p.PodHour == nil && p.VCPUHour == nil && p.GiBHour == nil:
		problems.Addf("", "found no price of a pod, expected podHour, or vcpuHour and gibHour")
	case p.PodHour == nil && p.VCPUHour == nil:
		problems.Addf("vcpuHour", "found none beside gibHour, expected a number; 0 where a core costs nothing")
	case p.PodHour == nil && p.GiBHour == nil:
		problems.Addf("gibHour", "found none beside vcpuHour, expected a number; 0 where memory costs nothing")
	}
	if late := p.LateRequest; late != nil && late.After <= 0 {
		problems.Addf("lateRequest.after", "found %s, expected more than 0s", late.After)
	}
	return problems.Err()
}
