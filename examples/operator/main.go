// Command operator runs the scale handler against a cluster: KubeElasti's
// operator in a hundred lines. Its settings are KubeElasti's environment
// variables (package config); it serves the notifications of resolvers on
// ELASTI_OPERATOR_PORT.
//
//	operator -kubeconfig ~/.kube/config
//
// Without -kubeconfig and KUBECONFIG it uses the Pod's service account.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/utils/clock"

	"github.com/scalelab/scalelab/config"
	"github.com/scalelab/scalelab/k8shelper"
	"github.com/scalelab/scalelab/logger"
	"github.com/scalelab/scalelab/messages"
	"github.com/scalelab/scalelab/messages/notify"
	"github.com/scalelab/scalelab/scaling/handler"
	"github.com/scalelab/scalelab/scaling/prometheus"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := start(ctx, os.Args[1:], os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(1)
	}
}

// start reads flags and environment, connects, listens, and runs.
func start(ctx context.Context, args []string, output io.Writer) error {
	flags := flag.NewFlagSet("operator", flag.ContinueOnError)
	flags.SetOutput(output)
	kubeconfig := flags.String("kubeconfig", "", "kubeconfig `file`; default: KUBECONFIG, or the Pod's service account")
	cluster := flags.String("context", "", "`name` of the kubeconfig's context; default: its current one")
	namespace := flags.String("namespace", "", "only handle ElastiServices of this `namespace`; default: all")
	if err := flags.Parse(args); err != nil {
		return err
	}
	sources, err := config.FromEnvironment()
	if err != nil {
		return err
	}
	settings, err := config.Load(sources)
	if err != nil {
		return err
	}
	file := cmp.Or(*kubeconfig, settings.Kubeconfig)
	clients, err := k8shelper.Connect(k8shelper.Options{Kubeconfig: file, Context: *cluster, InCluster: file == ""})
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf(":%d", settings.Operator.Port))
	if err != nil {
		return err
	}
	return run(ctx, program{settings, *namespace, *clients, listener, output})
}

// program is what run works with.
type program struct {
	config.Config
	namespace string // empty: all
	clients   k8shelper.Clients
	listener  net.Listener // for notifications
	output    io.Writer    // for the log
}

// run handles ElastiServices and takes notifications until ctx ends or the
// listener fails. It closes the listener.
func run(ctx context.Context, c program) error {
	log := logger.New(logger.Options{
		Writer: c.output, Format: logger.Format(c.Log.Format), Level: c.Log.Level, Clock: clock.RealClock{},
	})
	for _, warning := range c.Warnings {
		log.Warn(warning)
	}
	operator, err := handler.New(handler.Options{
		Clients: c.clients, Clock: clock.RealClock{}, Log: log, Namespace: c.namespace,
		PollingInterval: c.PollingInterval,
		Resolver:        handler.Resolver{Namespace: c.Resolver.Namespace, Service: c.Resolver.Service, Port: c.Resolver.ProxyPort},
		Scalers: handler.PrometheusScalers(c.Prometheus.ServerAddress.Reveal(),
			prometheus.Secret(c.Prometheus.AuthorizationHeader.Reveal())),
	})
	if err != nil {
		return errors.Join(err, c.listener.Close())
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	// A wake-up is carried out even if the proxy hangs up: requests are held.
	wake := func(_ context.Context, count messages.RequestCount) error { return operator.Wake(ctx, count) }
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: notify.Handler(wake)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(c.listener); stop() }()
	log.Info("operator runs", "address", c.listener.Addr().String())
	err = operator.Run(ctx)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err = errors.Join(err, server.Shutdown(last))
	if failed := <-served; !errors.Is(failed, http.ErrServerClosed) {
		err = errors.Join(err, failed)
	}
	return err
}
