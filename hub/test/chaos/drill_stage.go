package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync/atomic"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/sdk/provider"
)

// front is what stands before the hubs: one address, whichever of them live.
type front struct {
	*httptest.Server

	hub atomic.Value // *url.URL
}

func startFront() *front {
	f := &front{}
	f.Server = httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		if to, ok := f.hub.Load().(*url.URL); ok {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		}
	}})
	return f
}

func (f *front) lead(hub string) error {
	to, err := url.Parse(hub)
	if err == nil {
		f.hub.Store(to)
	}
	return err
}

// prepare makes the grants, says who is told, and starts the hubs.
func (d *drilled) prepare(ctx context.Context) error {
	st := d.st
	d.fleet = &fleet{st: st, name: "drill", keyFile: filepath.Join(st.dir, "drill.key")}
	f := d.fleet
	var err error
	if f.postgres, err = st.startPostgres(ctx, "drill-postgres"); err != nil {
		return err
	}
	if err := f.postgres.create(ctx, "evergrant", ""); err != nil {
		return err
	}
	f.database = f.postgres.url("evergrant")
	dir := filepath.Join(st.dir, "drill")
	single, many := chaosService(d.authority.URL, provider.RotationNone, "orders"), chaosService(d.authority.URL, provider.RotationRotates, d.crowd...)
	if f.client, err = st.prepare(ctx, dir, f.database, f.keyFile, single, many); err != nil {
		return err
	}
	if err := st.administer(ctx, dir, f.database, f.keyFile, d.staff(ctx)); err != nil {
		return err
	}
	for n := range 3 {
		if err := d.start(ctx, n); err != nil {
			return err
		}
	}
	return d.front.lead(f.hubs[1].url)
}

// start starts a hub that calls itself by the address of the front.
func (d *drilled) start(ctx context.Context, n int) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	f, listen := d.fleet, fmt.Sprintf("127.0.0.1:%d", port)
	f.env = []string{"EVERGRANT_PUBLIC_URL=" + d.front.URL, "EVERGRANT_LISTEN=" + listen}
	h, err := f.start(ctx, n)
	if err != nil {
		return err
	}
	f.hubs = append(f.hubs, h)
	if err := h.serves(ctx); err != nil {
		return err
	}
	h.url = "http://" + listen
	return nil
}

// staff says who is told of what.
func (d *drilled) staff(ctx context.Context) func(*visitor) error {
	return func(v *visitor) error {
		ids := map[channel.Kind]string{}
		for _, kind := range []channel.Kind{channel.Telegram, channel.Twilio, channel.SMTP} {
			id, err := v.addChannel(ctx, d.services, kind)
			if err != nil {
				return err
			}
			ids[kind] = id
		}
		author, err := v.addContact(ctx, "Author", map[string]string{ids[channel.Telegram]: d.services.Address(channel.Telegram), ids[channel.Twilio]: d.services.Address(channel.Twilio)})
		if err != nil {
			return err
		}
		owner, err := v.addContact(ctx, "Owner", map[string]string{ids[channel.SMTP]: d.services.Address(channel.SMTP)})
		if err != nil {
			return err
		}
		if _, _, err := v.ask(ctx, "/connections/orders/owner", url.Values{"owner": {owner}}); err != nil {
			return err
		}
		for _, policy := range []url.Values{
			{
				"title": {"Ladder"}, "enabled": {"true"}, "events": {"grant_ended"}, "after": {"0", stepPhone.String(), stepMail.String()},
				"to": {author, author, "owner"}, "channel": {ids[channel.Telegram], ids[channel.Twilio], ids[channel.SMTP]},
			},
			{"title": {"Operator"}, "enabled": {"true"}, "events": {"operator_needed"}, "after": {"0"}, "to": {owner}, "channel": {ids[channel.SMTP]}},
		} {
			if _, _, err := v.ask(ctx, "/escalation/policies/new", policy); err != nil {
				return err
			}
		}
		return nil
	}
}
