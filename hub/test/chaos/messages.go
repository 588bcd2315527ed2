package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/channel/channeltest"
	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/test/chaos/authority"
	"github.com/evergrant/evergrant/sdk/provider"
)

// lanes are hubs of their own that are killed side by side.
const lanes = 4

// messages kills hubs between the end of a grant and the messages about it, again and
// again: before a message is sent, after the channel has taken it, and at whatever
// moment. Each grant has to be told by a webhook, which knows repeats by their id, and
// by SMS, which does not.
func messages(ctx context.Context, st *stage) (tally, error) {
	var mu sync.Mutex
	var t tally
	var failed error
	var sum outcome
	var work sync.WaitGroup
	each := sized(st, 50, 3)
	for n := range sized(st, lanes, 2) {
		work.Go(func() {
			l := &lane{st: st, name: fmt.Sprintf("messages-%d", n), connections: names(fmt.Sprintf("m%d", n), each)}
			o, err := l.run(ctx)
			mu.Lock()
			defer mu.Unlock()
			sum.add(o)
			failed = errors.Join(failed, err)
		})
	}
	work.Wait()
	st.say("   messages: %d kills, %d messages by webhook, %d by SMS; %d lost, %d doubled where repeats are known, %d extra where they are not (at most %d in one)",
		sum.kills, sum.hooks, sum.sms, sum.lost, sum.doubled, sum.extra, sum.mostExtra)
	if sum.lost > 0 || sum.doubled > 0 || sum.mostExtra > 1 {
		t.problem("messages: %d lost, %d doubled, %d extra of one message", sum.lost, sum.doubled, sum.mostExtra)
	}
	return t, failed
}

// outcome is what came of the messages.
type outcome struct{ kills, hooks, sms, lost, doubled, extra, mostExtra int }

func (o *outcome) add(x outcome) {
	o.kills += x.kills
	o.hooks += x.hooks
	o.sms += x.sms
	o.lost += x.lost
	o.doubled += x.doubled
	o.extra += x.extra
	o.mostExtra = max(o.mostExtra, x.mostExtra)
}

// lane is one hub that is killed and started again.
type lane struct {
	st          *stage
	name        string
	connections []string
	authority   *authority.Server
	services    *channeltest.Server
	client      client
	dir, key    string
	starts      int
}

func (l *lane) run(ctx context.Context) (o outcome, err error) {
	if l.services, err = channeltest.Open(); err != nil {
		return o, err
	}
	defer l.services.Close()
	if l.authority, err = authority.Start(authority.Config{AccessLife: time.Hour}); err != nil {
		return o, err
	}
	defer l.authority.Close()
	l.dir, l.key = filepath.Join(l.st.dir, l.name), filepath.Join(l.st.dir, l.name+".key")
	if l.client, err = l.st.prepare(ctx, l.dir, "", l.key, chaosService(l.authority.URL, provider.RotationNone, l.connections...)); err != nil {
		return o, err
	}
	if err := l.st.administer(ctx, l.dir, "", l.key, l.staff(ctx)); err != nil {
		return o, err
	}
	for n, connection := range l.connections {
		trial, cancel := context.WithTimeout(ctx, time.Minute)
		err := l.trial(trial, n, connection)
		cancel()
		if err != nil {
			return o, fmt.Errorf("%s: %w", connection, err)
		}
		o.kills++
	}
	for _, connection := range l.connections {
		hooks, sms := l.taken(connection)
		o.hooks, o.sms = o.hooks+hooks, o.sms+sms
		if hooks == 0 || sms == 0 {
			o.lost++
		}
		o.doubled += max(0, hooks-1)
		o.extra += max(0, sms-1)
		o.mostExtra = max(o.mostExtra, sms-1)
	}
	return o, nil
}

// staff has one contact be told by both ways at once.
func (l *lane) staff(ctx context.Context) func(*visitor) error {
	return func(v *visitor) error {
		hook, err := v.addChannel(ctx, l.services, channel.Webhook)
		if err != nil {
			return err
		}
		sms, err := v.addChannel(ctx, l.services, channel.Twilio)
		if err != nil {
			return err
		}
		desk, err := v.addContact(ctx, "Desk", map[string]string{hook: l.services.Address(channel.Webhook), sms: l.services.Address(channel.Twilio)})
		if err != nil {
			return err
		}
		_, _, err = v.ask(ctx, "/escalation/policies/new", url.Values{
			"title": {"All"}, "enabled": {"true"}, "events": {"grant_ended"}, "after": {"0", "0"}, "to": {desk, desk}, "channel": {hook, sms},
		})
		return err
	}
}

// trial ends a grant, kills the hub on its way to tell of it, and starts another one.
func (l *lane) trial(ctx context.Context, n int, connection string) error {
	step := []string{crashpoint.BeforeSend, crashpoint.Sent, ""}[n%3]
	doomed, err := l.start(ctx, step)
	if err != nil {
		return err
	}
	defer doomed.kill()
	l.authority.SetFault(authority.Fault{Status: http.StatusBadRequest, Code: "invalid_grant"})
	_, err = l.client.renew(ctx, doomed.url, connection)
	l.authority.SetFault(authority.Fault{})
	if err != nil {
		return err
	}
	if step == "" {
		if err := wait(ctx, time.Duration(rand.Int64N(int64(1600*time.Millisecond)))); err != nil { //nolint:gosec // G404: any moment will do
			return err
		}
		doomed.kill()
	} else if err := doomed.killed(ctx); err != nil {
		return err
	}
	next, err := l.start(ctx, "")
	if err != nil {
		return err
	}
	defer next.stop() // as a service manager does: what was sent is noted
	for {
		if hooks, sms := l.taken(connection); hooks > 0 && sms > 0 {
			return nil
		}
		if err := wait(ctx, pace); err != nil {
			return fmt.Errorf("nobody was told: %w", err)
		}
	}
}

func (l *lane) start(ctx context.Context, step string) (*hubProcess, error) {
	c := hubConfig{name: fmt.Sprintf("%s-%d", l.name, l.starts), binary: l.st.hub(), dataDir: l.dir, keyFile: l.key, plugins: l.st.plugins()}
	if step != "" {
		c.binary, c.env = filepath.Join(l.st.bin, "evergrant-crash"), []string{"EVERGRANT_TEST_CRASH=" + step}
	}
	l.starts++
	h, err := l.st.startHub(ctx, c)
	if err != nil {
		return nil, err
	}
	return h, h.serves(ctx)
}

// taken counts the messages about a connection that the services have.
func (l *lane) taken(connection string) (hooks, sms int) {
	for _, m := range l.services.Messages() {
		switch {
		case m.Kind == channel.Webhook && strings.Contains(string(m.Data), `"name":"`+connection+`"`):
			hooks++
		case m.Kind == channel.Twilio && strings.HasPrefix(m.Text, connection+":"):
			sms++
		}
	}
	return hooks, sms
}
