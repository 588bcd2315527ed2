package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evergrant/evergrant/hub/internal/egress"
)

// PullResults are the results of a pull; every other one is the name of the problem
// that the API answered with, with underscores.
var PullResults = []string{
	"served", "served_with_trouble", "not_modified", "reauthorization_required", "paused", "blocked", "transient", "internal",
	"too_soon", "too_many_streams", "not_found", "no_connection_for_key", "forbidden", "address_not_allowed", "unauthorized",
}

// Counts is what happened in this process since it started. Its methods are safe for
// concurrent use and never wait.
type Counts struct {
	pulls       *prometheus.CounterVec
	byResult    map[string]prometheus.Counter // of PullResults: no look-up by labels on the hot path
	late        prometheus.Counter
	attempts    *prometheus.CounterVec
	took, waits *prometheus.HistogramVec
	lag         prometheus.Histogram
	exchange    prometheus.Histogram
	copies      prometheus.Histogram
	refusals    *prometheus.CounterVec
	requests    *prometheus.HistogramVec
	bounded     *prometheus.CounterVec
}

// boundedBy are the reasons of limits, by the status that they answer with.
var boundedBy = map[int]string{http.StatusRequestEntityTooLarge: "too_large", http.StatusTooManyRequests: "too_often"}

// The holder of the lease that a caller waits for.
const (
	thisHub    = "this_hub"
	anotherHub = "another_hub"
)

// seconds are the bounds of what takes from a millisecond to a minute.
var seconds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// NewCounts returns Counts that the registry shows.
func NewCounts(r *Registry) (*Counts, error) {
	c := &Counts{
		pulls: counters("pulls_total", "Answers to processes that asked for a token, by result: served, served_with_trouble (the token is valid, its renewal fails), "+
			"not_modified (the process has it), or the problem that was answered.", "result"),
		late: prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: "tokens_below_margin_total",
			Help: "Tokens that were past their known expiry at the moment at which they were handed out. The hub refuses instead, so this stays 0; " +
				"a token that is valid but has less life than asked for is no such token: it is served where renewal fails or the service makes none that live longer."}),
		attempts: counters("renewal_attempts_total", "Renewals that came to an end, by provider and outcome: renewed, or the kind of the failure.", "provider", "outcome"),
		took:     histograms("renewal_duration_seconds", "Time from the begin of a renewal's call of the plugin to its end.", seconds, "provider"),
		waits: histograms("lease_wait_seconds", "Time for which a caller waited for a renewal that another one had begun; holder is this_hub or another_hub.",
			seconds, "holder"),
		lag: histogram("renewal_lag_seconds", "Time from the moment at which a renewal was due to its begin; 0 for one that began before it was due.",
			[]float64{.1, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600}),
		exchange: histogram("callback_to_exchange_seconds", "Time from the arrival of a callback to the moment at which its code was about to be sent to the service.", seconds),
		copies: histogram("reply_copy_seconds", "Time from the moment at which a reply was durable in this hub's journal to the moment at which the database had it as well, "+
			"so that another hub can finish the renewal.", seconds),
		refusals: counters("egress_refusals_total", "Requests of plugins that the hub did not send, by reason.", "reason"),
		bounded: counters("http_requests_bounded_total", "Requests to the hub that a limit has refused, by reason: too_large (413) and too_often (429, tries of passwords and codes, "+
			"streams and the front page among them).", "reason"),
		requests: histograms("http_request_duration_seconds", "Time that a request to the hub took, by its route (never its path) and the class of its status.",
			seconds, "method", "route", "code"),
	}
	c.byResult = make(map[string]prometheus.Counter, len(PullResults))
	for _, result := range PullResults {
		c.byResult[result] = c.pulls.WithLabelValues(result)
	}
	// Counters start at 0, because an alert cannot detect a series that begins.
	for _, reason := range []string{egress.ReasonUndeclared, egress.ReasonSecret, egress.ReasonPrivate, egress.ReasonRequest} {
		c.refusals.WithLabelValues(reason)
	}
	for _, holder := range []string{thisHub, anotherHub} {
		c.waits.WithLabelValues(holder)
	}
	for _, reason := range boundedBy {
		c.bounded.WithLabelValues(reason)
	}
	return c, r.Register(c.bounded, c.pulls, c.late, c.attempts, c.took, c.waits, c.lag, c.exchange, c.copies, c.refusals, c.requests)
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
}

// Pulled counts the answer to a pull. late is set if its token had expired.
func (c *Counts) Pulled(result string, late bool) {
	if counter, ok := c.byResult[result]; ok {
		counter.Inc()
	} else {
		c.pulls.WithLabelValues(result).Inc()
	}
	if late {
		c.late.Inc()
	}
}

// Renewed counts a renewal that came to an end. scheduled is set if it had a due time.
func (c *Counts) Renewed(provider, outcome string, took, lag time.Duration, scheduled bool) {
	c.attempts.WithLabelValues(provider, outcome).Inc()
	c.took.WithLabelValues(provider).Observe(took.Seconds())
	if scheduled {
		c.lag.Observe(lag.Seconds())
	}
}

// Waited counts a wait for a renewal that another caller or another hub had begun.
func (c *Counts) Waited(took time.Duration, otherHub bool) {
	holder := thisHub
	if otherHub {
		holder = anotherHub
	}
	c.waits.WithLabelValues(holder).Observe(took.Seconds())
}

// Exchanging counts the time from a callback to its exchange.
func (c *Counts) Exchanging(after time.Duration) { c.exchange.Observe(after.Seconds()) }

// Copied counts the time from a reply's journal entry to its copy in the database.
func (c *Counts) Copied(after time.Duration) { c.copies.Observe(after.Seconds()) }

// Refused counts a request that was not sent.
func (c *Counts) Refused(reason string) { c.refusals.WithLabelValues(reason).Inc() }

// Answered counts a request to the hub; route is its pattern, "" for none.
func (c *Counts) Answered(method, route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	c.requests.WithLabelValues(knownMethod(method), route, class(status)).Observe(took.Seconds())
	if reason, ok := boundedBy[status]; ok {
		c.bounded.WithLabelValues(reason).Inc()
	}
}

// knownMethod keeps what strangers send as a method out of the labels.
func knownMethod(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return method
	}
	return "other"
}

// class is the class of a status (RFC 9110 section 15).
func class(status int) string {
	classes := [...]string{"other", "1xx", "2xx", "3xx", "4xx", "5xx"}
	if n := status / 100; n < len(classes) {
		return classes[n]
	}
	return classes[0]
}
