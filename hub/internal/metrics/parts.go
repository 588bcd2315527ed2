package metrics

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
)

// Parts collects the stats of the parts of this process at each scrape.
type Parts struct {
	Plugins   func() []pluginhost.PluginStatus
	Endpoints func() []endpoint.Status
	// Journal returns the stats of the reply journal.
	Journal func() Journal
	// Pulls counts those that are not in the audit record yet.
	Pulls func() int
	// Ready are the checks of /readyz, by name.
	Ready func() map[string]bool
	// Newest returns the stats of the file of newest token sets.
	Newest func(ctx context.Context) newest.Stats
	// Clock is how far the database's clock is ahead of this hub's.
	Clock func() time.Duration
	// Held returns the causes that keep renewals on hold.
	Held func() map[string]bool
	// Behind counts the grants that wait for a decision after a restore.
	Behind func() int
	// Backup returns the age of the last good scheduled backup and the interval of the
	// schedule; 0 and 0 without one.
	Backup func(ctx context.Context) (age, every time.Duration)
}

// Journal are the stats of the reply journal.
type Journal struct {
	Pending, Segments, Damaged int
	Bytes                      int64
}

var (
	pluginState = describe("plugin_state", "1 for the state that a plugin is in, 0 for the others. failed needs somebody; idle is well.", "plugin", "state")
	pluginFell  = describe("plugin_restarts_total", "Starts of a plugin that followed a failure.", "plugin")
	pluginHas   = describe("plugin_memory_bytes", "Memory of a plugin's process; 0 without one.", "plugin")
	pluginCalls = describe("plugin_in_flight", "Calls of a plugin that run now.", "plugin")
	circuits    = describe("endpoint_circuits", "Endpoints of a host by the state of their circuit; open ones are left alone.", "host", "state")
	inFlight    = describe("endpoint_in_flight", "Requests that are at the token endpoints of a host now.", "host")
	waiting     = describe("endpoint_waiting", "Renewals that wait for their turn at the token endpoints of a host.", "host")
	journaled   = describe("journal_entries", "Operations in the reply journal whose outcome is not in the database yet.")
	segments    = describe("journal_segments", "Files of the reply journal.")
	onDisk      = describe("journal_bytes", "Size of the reply journal on disk.")
	damaged     = describe("journal_damaged_segments", "Files of the reply journal that were found damaged in the last 24 hours and are kept aside. A reply in them may be lost.")
	spooled     = describe("pull_spool", "Pulls that were noted on disk and are not in the audit record yet.")
	newestHas   = describe("newest_entries", "Token sets that this replica keeps to compare a restored database with.")
	newestBytes = describe("newest_bytes", "Size of the token sets that this replica keeps to compare a restored database with.")
	newestBad   = describe("newest_damaged_files", "Files of newest token sets that were found damaged and are kept aside in the data folder.")
	backupAge   = describe("backup_age_seconds", "Time since the last good scheduled backup was begun, or since the start of the hub if there is none; 0 without a schedule.")
	backupEvery = describe("backup_interval_seconds", "Time between two scheduled backups; 0 without a schedule.")
	clockOffset = describe("clock_offset_seconds", "How far the database's clock is ahead of this hub's, at the last sign of life.")
	held        = describe("renewals_held", "1 while this hub begins no renewals for a cause: clock (clocks have stepped), copied (the data folder looks copied), restored (replicas compare with a restored database); the latter two hold only grants that rotate.", "cause")
	behind      = describe("grants_behind_backup", "Grants that may be behind a restored backup and wait for a decision; the same on every replica.")
	readiness   = describe("ready", "1 for a check of /readyz that holds, 0 for one that does not.", "check")

	pluginStates  = []pluginhost.State{pluginhost.StateIdle, pluginhost.StateStarting, pluginhost.StateReady, pluginhost.StateBackoff, pluginhost.StateFailed, pluginhost.StateStopping}
	circuitStates = []endpoint.State{endpoint.StateClosed, endpoint.StateOpen, endpoint.StateHalfOpen, endpoint.StateRecovering}
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// Describe implements prometheus.Collector.
func (p *Parts) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{pluginState, pluginFell, pluginHas, pluginCalls, circuits, inFlight, waiting, journaled, segments, onDisk, damaged, spooled, newestHas, newestBytes, newestBad, backupAge, backupEvery, clockOffset, held, behind, readiness} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (p *Parts) Collect(to chan<- prometheus.Metric) {
	for _, s := range p.Plugins() {
		for _, state := range pluginStates {
			to <- gauge(pluginState, one(s.State == state), s.Name, string(state))
		}
		to <- prometheus.MustNewConstMetric(pluginFell, prometheus.CounterValue, float64(s.Restarts), s.Name)
		to <- gauge(pluginHas, float64(s.Memory), s.Name)
		to <- gauge(pluginCalls, float64(s.InFlight), s.Name)
	}
	p.collectEndpoints(to)
	j := p.Journal()
	to <- gauge(journaled, float64(j.Pending))
	to <- gauge(segments, float64(j.Segments))
	to <- gauge(onDisk, float64(j.Bytes))
	to <- gauge(damaged, float64(j.Damaged))
	to <- gauge(spooled, float64(p.Pulls()))
	p.collectKept(to)
	to <- gauge(clockOffset, p.Clock().Seconds())
	for cause, is := range p.Held() {
		to <- gauge(held, one(is), cause)
	}
	to <- gauge(behind, float64(p.Behind()))
	for check, holds := range p.Ready() {
		to <- gauge(readiness, one(holds), check)
	}
}

// collectKept collects the stats of what is kept for a restore.
func (p *Parts) collectKept(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), statsTimeout)
	defer cancel()
	s := p.Newest(ctx)
	to <- gauge(newestHas, float64(s.Entries))
	to <- gauge(newestBytes, float64(s.Bytes))
	to <- gauge(newestBad, float64(s.Damaged))
	age, every := p.Backup(ctx)
	to <- gauge(backupAge, age.Seconds())
	to <- gauge(backupEvery, every.Seconds())
}

// mostHosts bounds the hosts with series of their own; the others share one.
const mostHosts = 200

// collectEndpoints labels by host, not by endpoint: a path may hold a name.
func (p *Parts) collectEndpoints(to chan<- prometheus.Metric) {
	type host struct {
		states            map[endpoint.State]int
		inFlight, waiting int
	}
	hosts := map[string]*host{}
	for _, s := range p.Endpoints() {
		name := strings.ToValidUTF8(s.Key.Host(), "?")
		if name == "" {
			name = "unknown" // nothing was sent for this service yet
		}
		if hosts[name] == nil && len(hosts) >= mostHosts {
			name = "others"
		}
		if hosts[name] == nil {
			hosts[name] = &host{states: map[endpoint.State]int{}}
		}
		h := hosts[name]
		h.states[s.State]++
		h.inFlight += s.InFlight
		h.waiting += s.Waiting
	}
	for name, h := range hosts {
		for _, state := range circuitStates {
			to <- gauge(circuits, float64(h.states[state]), name, string(state))
		}
		to <- gauge(inFlight, float64(h.inFlight), name)
		to <- gauge(waiting, float64(h.waiting), name)
	}
}
