package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/channel/channeltest"
	"github.com/evergrant/evergrant/hub/test/chaos/authority"
)

// Times of the drill: minutes of a real policy are seconds here.
const (
	stepPhone = 7 * time.Second
	stepMail  = 12 * time.Second
	// settled is for how long nothing more may come.
	settled = 3 * time.Second
)

// drilled is the case that is played: three hubs of which one dies, three processes
// that pull one connection, whose grant the service ends. The process's author is told
// in Telegram, nobody acknowledges, so an SMS follows and then an e-mail to the owner;
// the link in the e-mail leads through a new authorization, and everybody who was told
// is told that it is over. Then many connections fail from one cause.
type drilled struct {
	st        *stage
	authority *authority.Server
	services  *channeltest.Server
	front     *front
	fleet     *fleet
	crowd     []string
	tally     tally
}

// drill plays the case and returns its closing line beside what went wrong.
func (st *stage) drill(ctx context.Context) (line string, failed bool) {
	d := &drilled{st: st, crowd: names("crowd", 20)}
	if err := d.play(ctx); err != nil {
		d.tally.problem("%v", err)
	}
	for _, problem := range d.tally.problems {
		st.say("   PROBLEM %s", problem)
	}
	expected, delivered, doubled := d.count()
	line = fmt.Sprintf("drill: %d expected, %d delivered, %d doubled", expected, delivered, doubled)
	return line, len(d.tally.problems) > 0 || delivered != expected || doubled != 0
}

func (d *drilled) play(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var err error
	if d.services, err = channeltest.Open(); err != nil {
		return err
	}
	defer d.services.Close()
	if d.authority, err = authority.Start(authority.Config{AccessLife: time.Hour}); err != nil {
		return err
	}
	defer d.authority.Close()
	d.front = startFront()
	defer d.front.Close()
	if err := d.prepare(ctx); err != nil {
		return err
	}
	defer d.fleet.stop()
	if err := d.ladder(ctx); err != nil {
		return err
	}
	if err := d.oneCause(ctx); err != nil {
		return err
	}
	return wait(ctx, settled)
}

// told waits until a kind of channel has taken so many messages.
func (d *drilled) told(ctx context.Context, kind channel.Kind, n int) ([]channeltest.Received, error) {
	for {
		var got []channeltest.Received
		for _, m := range d.services.Messages() {
			if m.Kind == kind {
				got = append(got, m)
			}
		}
		if len(got) >= n {
			return got, nil
		}
		if err := wait(ctx, pace); err != nil {
			return got, fmt.Errorf("%s has taken %d of %d messages: %w", kind, len(got), n, err)
		}
	}
}

var grantPathRE = regexp.MustCompile(`/grant/[A-Za-z0-9_-]{43}`)

// ladder plays the end of one grant.
func (d *drilled) ladder(ctx context.Context) error {
	f := d.fleet
	for n := range 3 { // three processes pull it
		if _, err := f.client.pull(ctx, f.hubs[n].url, "orders"); err != nil {
			return err
		}
	}
	begun := time.Now()
	d.authority.SetFault(authority.Fault{Status: http.StatusBadRequest, Code: "invalid_grant"})
	v, err := f.client.renew(ctx, f.hubs[0].url, "orders")
	d.authority.SetFault(authority.Fault{})
	if err == nil && v.Status != "needs_authorization" {
		err = fmt.Errorf("the grant has not ended: the connection is %s", v)
	}
	if err != nil {
		return err
	}
	f.hubs[0].kill() // whatever it was about to do, another one does
	d.st.say("   the grant of orders has ended, and the hub that saw it was killed")
	for _, step := range []struct {
		kind  channel.Kind
		after time.Duration
	}{{channel.Telegram, 0}, {channel.Twilio, stepPhone}, {channel.SMTP, stepMail}} {
		got, err := d.told(ctx, step.kind, 1)
		if err != nil {
			return err
		}
		after := time.Since(begun)
		d.st.say("   %-9s after %4.1f s: %s", step.kind, after.Seconds(), firstLine(got[0].Subject+got[0].Text))
		if after < step.after {
			d.tally.problem("%s came after %s, before its time", step.kind, after)
		}
	}
	mail, err := d.told(ctx, channel.SMTP, 1)
	if err != nil {
		return err
	}
	if err := d.follow(ctx, grantPathRE.FindString(mail[0].Text)); err != nil {
		return err
	}
	for _, kind := range []channel.Kind{channel.Telegram, channel.Twilio, channel.SMTP} {
		got, err := d.told(ctx, kind, 2)
		if err != nil {
			return err
		}
		d.st.say("   %-9s the end: %s", kind, firstLine(got[1].Subject+got[1].Text))
	}
	return nil
}

// follow goes where the link of a message leads, as somebody without an account.
func (d *drilled) follow(ctx context.Context, link string) error {
	somebody, err := newVisitor(d.front.URL)
	if err != nil {
		return err
	}
	page, leads, err := somebody.ask(ctx, link, url.Values{})
	if err == nil && leads != "" {
		page, _, err = somebody.ask(ctx, leads, nil)
	}
	if err != nil {
		return err
	}
	target := regexp.MustCompile(`id="continue" href="([^"]+)"`).FindStringSubmatch(page)
	if target == nil {
		return fmt.Errorf("the link of the message leads nowhere: %.300s", page)
	}
	landed, err := redirected(ctx, strings.ReplaceAll(target[1], "&amp;", "&"))
	if err != nil {
		return err
	}
	// The service knows the address at which the grant was made first.
	u, err := url.Parse(landed)
	if err != nil {
		return err
	}
	if _, _, err := somebody.ask(ctx, u.RequestURI(), nil); err != nil {
		return err
	}
	v, err := d.fleet.client.view(ctx, d.front.URL, "orders")
	if err == nil && v.Status != "fresh" {
		err = fmt.Errorf("after the new authorization the connection is %s", v)
	}
	d.st.say("   the link in the e-mail has led through a new authorization")
	return err
}

// oneCause lets many connections fail from one cause, and mends it.
func (d *drilled) oneCause(ctx context.Context) error {
	d.authority.SetFault(authority.Fault{Status: http.StatusUnauthorized, Code: "invalid_client"})
	for _, name := range d.crowd {
		if _, err := d.fleet.client.renew(ctx, d.front.URL, name); err != nil {
			return err
		}
	}
	if _, err := d.told(ctx, channel.SMTP, 3); err != nil {
		return err
	}
	d.st.say("   %d connections fail with invalid_client, and the owner has one message", len(d.crowd))
	d.authority.SetFault(authority.Fault{})
	for _, name := range d.crowd {
		if _, err := d.fleet.client.renew(ctx, d.front.URL, name); err != nil {
			return err
		}
	}
	_, err := d.told(ctx, channel.SMTP, 4)
	return err
}

// count holds what was taken against what had to be: three messages and three ends of
// the ladder, one message and one end of the cause.
func (d *drilled) count() (expected, delivered, doubled int) {
	want := map[channel.Kind]int{channel.Telegram: 2, channel.Twilio: 2, channel.SMTP: 4}
	got := map[channel.Kind]int{}
	if d.services != nil {
		for _, m := range d.services.Messages() {
			got[m.Kind]++
		}
	}
	for kind, n := range want {
		expected += n
		delivered += min(n, got[kind])
		doubled += max(0, got[kind]-n)
	}
	return expected, delivered, doubled
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	if runes := []rune(line); len(runes) > 90 {
		line = string(runes[:90]) + "…"
	}
	return line
}
