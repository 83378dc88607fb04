package cluster

import (
	"time"

	"github.com/scalelab/scalelab/scaling/elasti/hold"
	"github.com/scalelab/scalelab/sim/random"
)

// Spec is a workload and the cluster it runs on.
type Spec struct {
	// Replicas is the number of pods at time 0, which are Ready then or, with Fresh,
	// created.
	Replicas       int32
	Fresh          bool
	PerPod         PerPod
	Routing        Routing
	RequestTimeout time.Duration // over all attempts; 0: requests wait for ever
	// OnTimeout is what becomes of a service in a pod whose client has given up: "leave",
	// also when empty, or "cancel".
	OnTimeout string
	// Retries is how clients try again; nil: they do not.
	Retries *Retries
	// Users are clients that wait for their answers before they ask again. Their
	// requests come on top of the arrivals.
	Users       []Users
	GracePeriod time.Duration // how long a draining pod may finish what it holds, PreStop included
	// PreStop is how long a pod that is deleted goes on as before: the preStop hook.
	PreStop   time.Duration
	Lifecycle Lifecycle
	Probes    Probes
	// Slow are stretches in which requests take longer, in order and apart from each
	// other.
	Slow []Slow
	// Update is how a rollout replaces the pods.
	Update Update
	// Nodes are what the pods run on; nil: every pod finds room at once.
	Nodes *Nodes
	// Unsteady says that pods can lose their containers, their readiness or their
	// nodes, or can be rolled out.
	Unsteady bool
	// CPURequestMilli is the sum of the containers' cpu requests, 0 when they
	// have none. It only scales the default of PerPod.CPUPerRequest.
	CPURequestMilli int64
	// MemoryRequestBytes is that of their memory requests.
	MemoryRequestBytes int64
	// MemoryLimitBytes is the memory limit of the application's container, 0 when it has
	// none.
	MemoryLimitBytes int64
	// Front is the proxy that holds requests while no pod is reachable, such as
	// the KubeElasti resolver; nil lets them fail.
	Front *hold.Settings
	// Handover is how long requests still go to the front after a pod has become
	// reachable.
	Handover time.Duration
	// Activators put Knative's activators and queue-proxies on the way of the
	// requests; nil: none. There is no Front then.
	Activators *Activators
	// Interceptor puts that of KEDA's HTTP add-on on the way of the requests; nil:
	// none. It is alone there.
	Interceptor *Interceptor
	// Consumes makes messages of the requests, which pods take from a queue; nil:
	// requests are sent to pods.
	Consumes *Consumption
	// Watched makes Advance stop when a pod has become Ready or is deleted, and when
	// the path of requests has changed.
	Watched bool
	// Elastic makes the number of pods follow the requests at once, with nobody
	// ever waiting: the world of the oracle. Replicas, routing and lifecycle are
	// then out of play.
	Elastic bool
	// Serverless puts instances that are started by requests in the place of the
	// pods; nil: none. Replicas, routing, lifecycle, front, and of PerPod the
	// concurrency and the queue are then out of play.
	Serverless *Serverless
	// Fixed promises that Scale never changes the number of pods.
	Fixed bool

	eventByEvent bool // for tests: without foresight
}

// PerPod is what one pod can do.
type PerPod struct {
	Concurrency   int            `yaml:"concurrency" doc:"requests that a pod serves at the same time; default 10, under ps 200"`
	Queue         int            `yaml:"queue" doc:"requests that wait in a pod when all its slots are taken; more are rejected"`
	Discipline    string         `yaml:"discipline" enum:"fifo|ps" doc:"fifo: a request in a slot is served at full speed; ps: the requests in service share the CPU. Waiting requests are served in the order of arrival"`
	Cores         *float64       `yaml:"cores,omitempty" min:"0.001" max:"1000" doc:"CPU that the requests in service share under ps; default: the sum of the containers' CPU limits, or requests where they have none, else 1"`
	CPUPerRequest *time.Duration `yaml:"cpuPerRequest,omitempty" doc:"CPU time that a request uses, spread evenly over its service time; default: a pod with all slots busy uses exactly its CPU request, and under ps the service time"`
	Memory        *Memory        `yaml:"memory,omitempty" doc:"memory that a pod uses; default: none is simulated"`
	ServiceTime   random.Spec    `yaml:"serviceTime" doc:"time from the start of service to the last byte; under ps with a core to itself"`
}

// Memory is what a pod uses of it: Base, and PerRequest for every request that waits or
// is in service. A pod that uses more than its limit is killed, and its container
// started again.
type Memory struct {
	Base       Bytes `yaml:"base" required:"true" doc:"memory of a pod without requests"`
	PerRequest Bytes `yaml:"perRequest" required:"true" doc:"memory that a request takes while it waits or is in service"`
}

// Routing is how a request finds a pod.
type Routing struct {
	Policy string `yaml:"policy" enum:"random|round-robin|least-request|p2c|central-queue" doc:"how a request finds a pod"`
}

// Lifecycle is how long a pod takes from creation to its first request.
type Lifecycle struct {
	Schedule            random.Spec `yaml:"schedule" doc:"creation to node assignment"`
	ImagePull           random.Spec `yaml:"imagePull" doc:"node assignment to container start"`
	Start               random.Spec `yaml:"start" doc:"container start to Ready"`
	Listen              random.Spec `yaml:"listen" doc:"Ready to accepting connections: 0s with a good readiness probe; before, connections to the pod are refused"`
	EndpointPropagation random.Spec `yaml:"endpointPropagation" doc:"Ready to the first request that can be routed to the pod"`
	Deregister          random.Spec `yaml:"deregister" doc:"deletion, or the loss of readiness, to the last request that is routed to the pod; default 0s"`
	StartCPU            float64     `yaml:"startCPU" min:"0" max:"1000" doc:"cores that a pod uses from its container's start to Ready; default 0"`
	WarmUp              *WarmUp     `yaml:"warmUp,omitempty" doc:"how a pod becomes fast after it is Ready; default: at once"`
}

// State is where a pod is in its life.
type State uint8

// The states, in order. A pod that is deleted before it was Ready goes
// straight to Gone. One that loses its readiness, or its container, is Starting
// again.
const (
	Pending   State = iota // created, not assigned to a node
	Scheduled              // assigned; the image is being pulled
	Starting               // the container runs, the pod is not Ready
	Ready                  // Ready; gets requests once its endpoint has propagated
	Draining               // deleted; finishes what it holds within its grace period
	Gone
)

func (s State) String() string {
	return [...]string{"Pending", "Scheduled", "Starting", "Ready", "Draining", "Gone"}[s]
}

// NotYet marks an instant that has not come.
const NotYet = time.Duration(-1)

// PodStatus is the truth about one pod at an instant.
type PodStatus struct {
	ID          int32  // ordinal of creation, from 0
	Template    uint16 // of the Deployment that it was made of, from 0
	State       State
	CreatedAt   time.Duration
	ScheduledAt time.Duration // assigned to a node; status.startTime; NotYet before
	StartedAt   time.Duration // the container started; NotYet before
	// RunningSince is when the container started that runs now; NotYet: none does.
	RunningSince time.Duration
	ReadyAt      time.Duration // it became Ready the last time; NotYet while it is not
	UnreadyAt    time.Duration // it ceased to be Ready the last time; NotYet if it never has
	RoutableAt   time.Duration // it gets requests; NotYet before
	Restarts     int32         // of its container
	Node         int32         // index in Cluster.Nodes; none without nodes, and before it has one
	DeletedAt    time.Duration // NotYet before
	CPU          time.Duration // CPU time used since the start
	Memory       int64         // bytes in use; 0 where it is not simulated
	Received     uint64        // requests routed to the pod
	Completed    uint64        // responses given, whether the client still waited or not
	Former       uint64        // of them, by the containers before the one that runs or ran last
	InService    int32
	Queued       int32
	// With Activators: the requests that came to the pod directly, and those that
	// an activator sent.
	Direct, Proxied Flow
}

// Transition is one change of a pod's state.
type Transition struct {
	At   time.Duration
	Pod  int32
	From State
	To   State
}

// Counters count requests since time 0, each once however often it was tried.
// At every instant
//
//	Arrived = Completed + TimedOut + Rejected + Failed + InFlight
type Counters struct {
	Arrived   uint64
	Completed uint64
	TimedOut  uint64 // the client gave up
	Rejected  uint64 // a full queue refused it
	Failed    uint64 // no pod was there, or its pod was killed
	Retried   uint64 // attempts after the first ones, deliveries of messages among them
	Cold      uint64 // of the completed: those that waited for a pod or an instance to start
	InFlight  uint64 // waiting, in service or in back-off, the client still there
}
