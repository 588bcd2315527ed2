package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/test/chaos/authority"
	"github.com/evergrant/evergrant/sdk/provider"
)

// alone is a hub on SQLite with an authority.
type alone struct {
	authority   *authority.Server
	client      client
	hub         *hubProcess
	connections []string
	dataDir     string
}

// url is the hub's address, as during asks for it.
func (a *alone) url() string { return a.hub.url }

func (a *alone) stop() {
	a.hub.stop()
	a.authority.Close()
}

// startAlone makes grants and starts the hub. host replaces the name in the
// authority's address for the hub if it is not empty, wrap starts the hub, and
// dataDir is where it keeps everything.
func (st *stage) startAlone(ctx context.Context, name, host, dataDir string, connections int, wrap ...string) (*alone, error) {
	a := &alone{connections: names(name, connections), dataDir: dataDir}
	var err error
	if a.authority, err = authority.Start(authority.Config{AccessLife: outageLife, Grace: time.Minute}); err != nil {
		return nil, err
	}
	address := a.authority.URL
	if host != "" {
		address = a.authority.URLAt(host)
	}
	keyFile := filepath.Join(dataDir, "chaos.key")
	a.client, err = st.prepare(ctx, dataDir, "", keyFile, chaosService(address, provider.RotationRotates, a.connections...))
	if err != nil {
		a.stop()
		return nil, err
	}
	a.hub, err = st.startHub(ctx, hubConfig{
		name: "outage-" + name, binary: st.hub(), dataDir: dataDir, keyFile: keyFile, plugins: st.plugins(), wrap: wrap,
		env: aloneTimes(st, name).env(),
	})
	if err == nil {
		err = a.hub.serves(ctx)
	}
	if err != nil {
		a.stop()
	}
	return a, err
}

// deadEndpointBound is how many requests an endpoint that does not work may get
// from a hub in the first minute, however many connections wait for it: what the
// cap lets out before the first answer is missed, and the probes.
const deadEndpointBound = 100

// outageEndpoint lets the token endpoint fail in three ways, each at a hub and an
// endpoint of its own.
func outageEndpoint(ctx context.Context, st *stage) (tally, error) {
	var mu sync.Mutex
	var all tally
	var failed error
	var work sync.WaitGroup
	for name, fault := range map[string]authority.Fault{
		"5xx":  {Status: http.StatusServiceUnavailable},
		"429":  {Status: http.StatusTooManyRequests, RetryAfter: sized(st, 15*time.Second, 2*time.Second)},
		"hang": {Hang: true},
	} {
		work.Go(func() {
			t, err := st.deadEndpoint(ctx, name, fault)
			mu.Lock()
			defer mu.Unlock()
			all.add(t)
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	work.Wait()
	return all, failed
}

// deadEndpoint counts what goes to an endpoint that fails.
func (st *stage) deadEndpoint(ctx context.Context, name string, fault authority.Fault) (tally, error) {
	long := sized(st, time.Minute, 5*time.Second)
	a, err := st.startAlone(ctx, "endpoint-"+name, "", filepath.Join(st.dir, "endpoint-"+name), sized(st, 200, 40))
	if err != nil {
		return tally{}, err
	}
	defer a.stop()
	return during{
		part: "outage-endpoint " + name, authority: a.authority, client: a.client, connections: a.connections, hub: a.url, recoveryTimeout: 4 * time.Minute,
		trouble: func(ctx context.Context) error {
			a.authority.SetFault(fault)
			err := wait(ctx, long)
			struck := a.authority.SetFault(authority.Fault{})
			perMinute := float64(struck) / long.Minutes()
			st.say("   outage-endpoint %s: %d requests by %d connections in %s, that is %.0f a minute", name, struck, len(a.connections), long, perMinute)
			if struck > deadEndpointBound {
				return fmt.Errorf("a storm: %d requests went to an endpoint that does not work, %d are allowed", struck, deadEndpointBound)
			}
			return err
		},
	}.run(ctx, st)
}

// dnsName is the token endpoint's host while outageDNS runs.
const dnsName = "tokens.chaos.test"

// outageDNS lets the name of the token endpoint stop to resolve.
func outageDNS(ctx context.Context, st *stage) (tally, error) {
	r, err := startResolver(dnsName)
	if err != nil {
		return tally{}, skipError{fmt.Sprintf("a name server of our own cannot listen on port 53: %v", err)}
	}
	defer r.close()
	conf := filepath.Join(st.dir, "resolv.conf")
	if err := os.WriteFile(conf, []byte("nameserver "+r.address+"\noptions timeout:1 attempts:1\n"), 0o644); err != nil { //nolint:gosec // as the system's
		return tally{}, err
	}
	wrap, err := ownResolvConf(ctx, conf)
	if err != nil {
		return tally{}, err
	}
	defer r.use()()
	a, err := st.startAlone(ctx, "dns", dnsName, filepath.Join(st.dir, "dns"), sized(st, 100, 40), wrap...)
	if err != nil {
		return tally{}, err
	}
	defer a.stop()
	return during{
		part: "outage-dns", authority: a.authority, client: a.client, connections: a.connections, hub: a.url, recoveryTimeout: 4 * time.Minute,
		trouble: func(ctx context.Context) error {
			long := sized(st, 30*time.Second, 8*time.Second)
			r.failing.Store(true)
			before, asked := a.authority.Judge().Renewals, r.asked.Load()
			err := wait(ctx, long)
			r.failing.Store(false)
			st.say("   outage-dns: %d lookups failed in %s, %d renewals went over connections that were open", r.asked.Load()-asked, long, a.authority.Judge().Renewals-before)
			return err
		},
	}.run(ctx, st)
}

// outageDisk fills the disk of database and journal at the moment at which the
// service has the request: the reply finds no room.
func outageDisk(ctx context.Context, st *stage) (tally, error) {
	d, err := mountDisk(filepath.Join(st.dir, "disk"), 24)
	if err != nil {
		return tally{}, skipError{fmt.Sprintf("a small disk cannot be mounted: %v", err)}
	}
	defer d.unmount()
	a, err := st.startAlone(ctx, "disk", "", filepath.Join(d.path, "data"), sized(st, 100, 40))
	if err != nil {
		return tally{}, err
	}
	defer a.stop()
	return during{
		part: "outage-disk", authority: a.authority, client: a.client, connections: a.connections, hub: a.url, recoveryTimeout: 2 * time.Minute,
		trouble: func(ctx context.Context) error {
			err := d.fillAt(ctx, a.authority)
			begin := a.authority.Judge().Renewals
			if err == nil {
				err = wait(ctx, sized(st, 20*time.Second, 5*time.Second))
			}
			st.say("   outage-disk: %d renewals were answered while the disk was full", a.authority.Judge().Renewals-begin)
			d.free()
			return err
		},
	}.run(ctx, st)
}
