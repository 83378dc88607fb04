package handler

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/scalelab/scalelab/scaling"
	"github.com/scalelab/scalelab/scaling/prometheus"
)

// PrometheusScalers makes Scalers of prometheus triggers. Those that name no
// server ask the one given. The authorization is sent to that server only: an
// ElastiService may name any other one, also to learn the secret. Without a
// server of its own, it is sent to every server, as KubeElasti does.
func PrometheusScalers(server string, authorization prometheus.Secret) ScalerFactory {
	return func(from Source) (scaling.Scaler, error) {
		m := from.Trigger.Metadata
		threshold, err := strconv.ParseFloat(m.Threshold, 64)
		if err != nil {
			return nil, fmt.Errorf("metadata.threshold: found %q, expected a number", m.Threshold)
		}
		options := prometheus.Options{
			ServerAddress: cmp.Or(m.ServerAddress, server),
			Query:         m.Query,
			Threshold:     threshold,
			UptimeFilter:  m.UptimeFilter,
			Cooldown:      from.Cooldown,
			Headers:       make(map[string]prometheus.Secret, len(m.Headers)),
		}
		for name, value := range m.Headers {
			options.Headers[name] = prometheus.Secret(value)
		}
		if server == "" || options.ServerAddress == server {
			options.Authorization = authorization
		}
		made, err := prometheus.New(options)
		if err != nil {
			return nil, err // and not a nil of a type
		}
		return made, nil
	}
}
