package metrics

import (
	"fmt"
	"net/http"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// namespace begins every name of ours.
const namespace = "evergrant"

// Registry is what a scrape of one hub shows. Each hub has its own: several may run
// in a process.
type Registry struct {
	registry *prometheus.Registry
	log      hclog.Logger
}

// NewRegistry returns a Registry that shows the Go runtime, the process and the
// version of the hub.
func NewRegistry(version string, log hclog.Logger) *Registry {
	r := &Registry{registry: prometheus.NewRegistry(), log: log}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1; its label is the version of the hub.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	r.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build)
	return r
}

// Register adds collectors. Any package may bring its own: it makes them with
// client_golang and is registered where the hub is wired. Errors: a name is taken or
// is no name.
func (r *Registry) Register(added ...prometheus.Collector) error {
	for _, c := range added {
		if err := r.registry.Register(c); err != nil {
			return fmt.Errorf("register a metric: %w", err)
		}
	}
	return nil
}

// Gatherer is what a scrape reads.
func (r *Registry) Gatherer() prometheus.Gatherer { return r.registry }

// Handler answers scrapes. A collector that fails does not hide the others.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{
		ErrorLog: troubles{r.log}, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 8, EnableOpenMetrics: true,
	})
}

type troubles struct{ log hclog.Logger }

// Println implements promhttp.Logger.
func (t troubles) Println(v ...any) {
	t.log.Warn("scrape incomplete", "error", fmt.Sprint(v...))
}
