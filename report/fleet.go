package report

import (
	"fmt"

	"github.com/scalelab/scalelab/bench"
	"github.com/scalelab/scalelab/sim"
)

// worst is a table of services.
type worst struct {
	title    string
	services []sim.FleetService
	grid     grid
}

// worstServices are the tables of a fleet that have rows.
func worstServices(r *sim.Result) []worst {
	if r.Fleet == nil {
		return nil
	}
	var lists []worst
	for _, list := range []worst{
		{title: "by lost requests", services: r.Fleet.WorstByLost},
		{title: "by p99 latency", services: r.Fleet.WorstByP99},
	} {
		if len(list.services) == 0 {
			continue
		}
		list.title = fmt.Sprintf("Worst of %s, %s", plural(r.Fleet.Services, "service", "services"), list.title)
		list.grid = grid{columns: []column{{head: "SERVICE", text: true}, {head: "WEIGHT", spare: 2}, {head: "REQUESTS"},
			{head: "LOST"}, {head: "COLD", spare: 1}, {head: "P99"}, {head: "MAX", spare: 3}, {head: "POD-H"}}}
		for _, s := range list.services {
			list.grid.add(plain, clean(s.Service), bench.Digits(s.Weight), count(s.Requests.Arrived), count(s.Requests.Lost()),
				count(s.Requests.Cold), optional(s.LatencyP99S, bench.Seconds), count(s.MaxDesired), bench.PodHours(s.PodSeconds))
		}
		lists = append(lists, list)
	}
	return lists
}

func (p *page) fleet(r *sim.Result, wide bool, o Options) {
	for _, list := range worstServices(r) {
		p.prose(strong, "", list.title, o.width())
		p.put(list.grid, tableWidth(wide, o))
		p.blank()
	}
}
