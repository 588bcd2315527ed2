package metrics

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// Messages shows what became of messages to people, and what still has to be sent. It
// is safe for concurrent use.
type Messages struct {
	tried *prometheus.CounterVec
	queue func(ctx context.Context) (map[string]int, error)
	log   hclog.Logger
}

var deliveryQueue = describe("delivery_queue", "Messages to people by state: waiting for their time or for the next try, sending, and dead, which somebody has to send again.", "state")

// NewMessages returns a Messages; queue counts the deliveries by state.
func NewMessages(queue func(ctx context.Context) (map[string]int, error), log hclog.Logger) *Messages {
	m := &Messages{queue: queue, log: log, tried: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "deliveries_total",
		Help: "Tries to send a message, by kind of channel and result: delivered, retried (it is tried again), failed (given up). channel is none where it was deleted.",
	}, []string{"channel", "result"})}
	for _, kind := range channel.Kinds { // a rate needs a beginning
		for _, result := range []string{escalation.Delivered, escalation.Retried, escalation.Failed} {
			m.tried.WithLabelValues(string(kind), result)
		}
	}
	return m
}

// Tried counts a send, in the form of escalation.Options.Delivered.
func (m *Messages) Tried(kind, result string) {
	if kind == "" {
		kind = "none"
	}
	m.tried.WithLabelValues(kind, result).Inc()
}

// Describe implements prometheus.Collector.
func (m *Messages) Describe(to chan<- *prometheus.Desc) {
	m.tried.Describe(to)
	to <- deliveryQueue
}

// Collect implements prometheus.Collector.
func (m *Messages) Collect(to chan<- prometheus.Metric) {
	m.tried.Collect(to)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	counts, err := m.queue(ctx)
	if err != nil {
		m.log.Warn("count notifications for scrape failed", "error", err)
		return
	}
	for _, state := range []string{noticedb.DeliveryWaiting, noticedb.DeliverySending, noticedb.DeliveryDead} {
		to <- gauge(deliveryQueue, float64(counts[state]), state)
	}
}
