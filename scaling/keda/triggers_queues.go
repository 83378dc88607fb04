package keda

import (
	"net/url"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/scalelab/scalelab/messages"
)

// What brokers count: the messages that wait, or those as well that consumers have
// taken and not yet confirmed.
const (
	waiting     = "workload.queue"
	unconfirmed = "workload.concurrency"
)

// line makes the trigger one of a queue's length.
func (t *trigger) line(r *reader, source, key string, activation float64) {
	t.ask(r, messages.QueryQueue, source, key)
	t.read = func(_ time.Time, m *messages.Metric) reading {
		if m.Err != "" {
			return reading{err: m.Err}
		}
		length := float64(m.Milli) / 1000
		return reading{value: length, active: length > activation}
	}
}

func whole(n int64) resource.Quantity { return *resource.NewQuantity(n, resource.DecimalSI) }

const defaultRabbitMQLength = 20

// readRabbitMQ is the length of a queue: over AMQP the messages that are ready,
// over HTTP all, unless those without a confirmation are excluded.
func readRabbitMQ(r *reader, t *trigger, index int) {
	queue := r.need("queueName", "the name of a queue")
	host := r.connection("the address of a broker", true, "host")
	protocol := r.oneOf("protocol", "auto", "auto", "amqp", "http")
	if protocol == "auto" {
		protocol = r.scheme(host)
	}
	mode, value, key := r.rabbitMQMode()
	if mode != "QueueLength" {
		r.addf("mode", "found %.70q, expected QueueLength: rates of messages are not simulated", mode)
	}
	activation := r.number("activationValue", 0)
	source := waiting
	exclude := r.yes("excludeUnacknowledged", false)
	if exclude && protocol == "amqp" {
		r.addf("excludeUnacknowledged", "found true, expected false: it takes the protocol http")
	}
	if protocol == "http" && !exclude {
		source = unconfirmed
	}
	r.refuse("useRegex", "there is one queue")
	r.misspelt("vhostName", "pageSize", "operation", "timeout", "unsafeSsl", "username", "password", "tls")
	t.serve(r, index, normal("rabbitmq-"+url.QueryEscape(queue)), quantity(value), key)
	t.line(r, source, "queueName", activation)
}

// scheme is the protocol that a host's URL names. One that is kept elsewhere is
// taken for AMQP.
func (r *reader) scheme(host string) string {
	if host == "" {
		return "amqp"
	}
	u, err := url.Parse(host)
	switch {
	case err == nil && (u.Scheme == "amqp" || u.Scheme == "amqps"):
		return "amqp"
	case err == nil && (u.Scheme == "http" || u.Scheme == "https"):
		return "http"
	}
	r.addf("host", "found %.70q, expected a URL that begins with amqp:// or http://", host)
	return ""
}

// rabbitMQMode sorts the old spelling from the new one. key is where the target is
// written.
func (r *reader) rabbitMQMode() (mode string, value float64, key string) {
	mode, hasMode := r.text("mode")
	value, length := r.number("value", 0), r.number("queueLength", 0)
	switch {
	case length != 0 && (hasMode || value != 0):
		r.addf("queueLength", "found it beside mode or value, expected mode and value alone")
		return "QueueLength", length, "queueLength"
	case length != 0:
		return "QueueLength", length, "queueLength"
	case !hasMode && value == 0:
		return "QueueLength", defaultRabbitMQLength, "value"
	case !hasMode:
		r.addf("mode", "found none, expected QueueLength beside a value")
		return "QueueLength", value, "value"
	case value == 0:
		r.addf("value", "found none, expected a number in quotes beside the mode")
		value = 1
	}
	return mode, value, "value"
}

// readRedis is the length of a list, out of which messages are taken.
func readRedis(r *reader, t *trigger, index int) {
	list := r.need("listName", "the name of a list")
	length := r.whole("listLength", 5)
	activation := r.whole("activationListLength", 0)
	r.connection("the address of a server", true, "address", "addresses", "host", "hosts")
	r.whole("databaseIndex", 0)
	r.misspelt("port", "ports", "username", "password", "enableTLS", "unsafeSsl", "sentinelUsername", "sentinelPassword", "sentinelMaster")
	t.serve(r, index, normal("redis-"+list), whole(length), "listLength")
	t.line(r, waiting, "listName", float64(activation))
}

// readSQS is the length of a queue, with the messages in flight unless
// scaleOnInFlight is switched off. None is delayed.
func readSQS(r *reader, t *trigger, index int) {
	name := r.need("queueURL", "the URL of a queue, which gives the metric its name")
	if u, err := url.ParseRequestURI(name); err == nil {
		parts := strings.Split(u.Path, "/")
		name = parts[len(parts)-1]
		if len(parts) != 3 || name == "" {
			r.addf("queueURL", "found %.70q, expected a URL whose path is an account and a queue", u)
		}
	}
	r.connection("a region", true, "awsRegion")
	length := r.whole("queueLength", 5)
	activation := r.whole("activationQueueLength", 0)
	source := waiting
	if r.yes("scaleOnInFlight", true) {
		source = unconfirmed
	}
	r.yes("scaleOnDelayed", false)
	r.misspelt("awsEndpoint", "identityOwner", "awsAccessKeyID", "awsSecretAccessKey", "awsSessionToken", "awsRoleArn")
	t.serve(r, index, normal("aws-sqs-"+name), whole(length), "queueLength")
	t.line(r, source, "queueURL", float64(activation))
}

// readExternalPush is a scaler of one's own, which here gives the length of the
// queue. What it would call its metric, and its target, are told by metadata that
// KEDA hands on to it.
func readExternalPush(r *reader, t *trigger, index int) {
	r.need("scalerAddress", "the address of a scaler")
	if r.httpAddOn(t, index) {
		return
	}
	metric, found := r.text("metricName")
	if !found {
		metric = "queue"
	}
	target := r.number("targetSize", 0)
	if _, found := r.text("targetSize"); !found {
		r.addf("targetSize", "found none, expected the target that the scaler would answer with, such as \"5\"")
		target = 1
	}
	activation := r.number("activationSize", 0)
	r.misspelt("enableTLS", "unsafeSsl")
	t.serve(r, index, metric, quantity(target), "targetSize")
	t.line(r, waiting, "targetSize", activation)
}
