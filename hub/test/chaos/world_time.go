package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/test/chaos/authority"
	"github.com/evergrant/evergrant/sdk/provider"
)

const (
	sigstop = syscall.SIGSTOP
	sigcont = syscall.SIGCONT
)

// first treats the first renewal of every grant in a manner, and serves the others
// at once.
func first(m authority.Manner) func(authority.Request) authority.Manner {
	return func(r authority.Request) authority.Manner {
		if r.Nth == 1 {
			return m
		}
		return authority.Manner{}
	}
}

// lateAnswer rotates at once and answers after the plugin's time is over.
func lateAnswer(ctx context.Context, v *venue) error {
	h, err := v.start(ctx, 0, "")
	if err != nil {
		return err
	}
	v.authority.SetManner(first(authority.Manner{Delay: sized(v.stage, 33*time.Second, 5*time.Second)}))
	return v.renewedLate(ctx, h, func() error { return nil })
}

// renewedLate renews everything, and does something while all requests are out.
func (v *venue) renewedLate(ctx context.Context, h *hubProcess, meanwhile func() error) error {
	v.renewAll(ctx, h)
	if err := v.arrived(ctx, len(v.all())); err != nil {
		return err
	}
	if err := meanwhile(); err != nil {
		return err
	}
	return v.settle(ctx, h)
}

// endpointStall accepts requests, and serves them all when the stall is over.
func endpointStall(ctx context.Context, v *venue) error {
	h, err := v.start(ctx, 0, "")
	if err != nil {
		return err
	}
	until := time.Now().Add(sized(v.stage, 75*time.Second, 7*time.Second))
	v.authority.SetManner(func(authority.Request) authority.Manner { return authority.Manner{Until: until} })
	v.renewAll(ctx, h)
	if err := wait(ctx, time.Until(until)); err != nil {
		return err
	}
	return v.settle(ctx, h)
}

// answered is when the answers arrive while somebody is frozen.
const answered = 2 * time.Second

// spread lets the answers of the first renewals come one after the other while
// somebody is frozen.
func spread(r authority.Request) authority.Manner {
	if r.Nth > 1 {
		return authority.Manner{}
	}
	n, _ := strconv.Atoi(strings.TrimPrefix(r.Family, "f"))
	return authority.Manner{Delay: time.Duration(n%20) * 300 * time.Millisecond}
}

// pluginFrozen stops the plugin for longer than its time.
func pluginFrozen(ctx context.Context, v *venue) error {
	return v.frozen(ctx, 6*time.Second, (*hubProcess).plugins, spread)
}

// hubPaused stops the hub and its plugin, as a machine that sleeps does.
func hubPaused(ctx context.Context, v *venue) error {
	return v.frozen(ctx, 9*time.Second, (*hubProcess).all, first(authority.Manner{Delay: answered}))
}

func (v *venue) frozen(ctx context.Context, long time.Duration, who func(*hubProcess) []int, manner func(authority.Request) authority.Manner) error {
	h, err := v.start(ctx, 0, "")
	if err != nil {
		return err
	}
	v.authority.SetManner(manner)
	return v.renewedLate(ctx, h, func() error {
		pids := who(h)
		if len(pids) == 0 {
			return fmt.Errorf("there is nobody to freeze")
		}
		defer v.chronicle.begin(hubFrozen, "", "")()
		signalAll(pids, sigstop)
		err := wait(ctx, long)
		signalAll(pids, sigcont)
		return err
	})
}

func lateSendIntent(ctx context.Context, v *venue) error {
	return v.lateSend(ctx, crashpoint.AfterIntent)
}

func lateSendDialled(ctx context.Context, v *venue) error {
	return v.lateSend(ctx, crashpoint.Dialled)
}

func lateSendWriting(ctx context.Context, v *venue) error {
	return v.lateSend(ctx, crashpoint.Writing)
}

// lateSend stops a hub between intent and request until another replica has taken
// over. What it had not sent then, it must not send when it is woken.
func (v *venue) lateSend(ctx context.Context, step string) error {
	n := len(v.all())
	paused, err := v.start(ctx, 0, fmt.Sprintf("%s:%d:barrier:stop", step, n))
	if err != nil {
		return err
	}
	v.renewAll(ctx, paused)
	for !paused.stopped() {
		if err := wait(ctx, pace); err != nil {
			return errNoStep
		}
	}
	other, err := v.start(ctx, 1, "")
	if err != nil {
		return err
	}
	for _, name := range v.all() {
		if err := v.takenOver(ctx, other, name); err != nil {
			return err
		}
	}
	taken := v.authority.Arrived()
	signalAll([]int{paused.cmd.Process.Pid}, sigcont)
	if err := wait(ctx, 5*time.Second); err != nil {
		return err
	}
	if late := v.authority.Arrived() - taken; late > 0 {
		v.problem("%d requests were sent by the hub that had been taken over", late)
	}
	return v.settle(ctx, other)
}

// takenOver asks a replica for a renewal until it has done it.
func (v *venue) takenOver(ctx context.Context, h *hubProcess, name string) error {
	for {
		at, err := v.client.renew(ctx, h.url, name)
		if err == nil && over(at) {
			return nil
		}
		if err := wait(ctx, 500*time.Millisecond); err != nil {
			return fmt.Errorf("%s was not taken over, it is %s: %w", name, at, err)
		}
	}
}

// gateway loses the answer at a proxy that says that it had none. Where a repeat is
// safe every grant is kept; where the token has rotated, nobody has the next one.
func gateway(ctx context.Context, v *venue) error {
	h, err := v.start(ctx, 0, "")
	if err != nil {
		return err
	}
	v.declared[provider.RotationRotates] = true
	v.authority.SetManner(first(authority.Manner{Gateway: http.StatusGatewayTimeout}))
	return v.renewedLate(ctx, h, func() error { return nil })
}
