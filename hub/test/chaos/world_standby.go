package main

import (
	"context"
	"fmt"
	"time"
)

// standby fails over to a standby that has been cut off from the server for 15 s, under
// load: the hubs run on. How many there are decides what one of them can know.
func standby(hubs int) func(context.Context, *venue) error {
	return func(ctx context.Context, v *venue) error {
		server := v.postgres
		wire, err := startProxy(server.at()) // from the hubs
		if err != nil {
			return err
		}
		v.after = append(v.after, wire.close)
		stream, err := startProxy(server.at()) // from the standby
		if err != nil {
			return err
		}
		defer stream.close()
		next, err := v.standby(ctx, server, stream.port)
		if err != nil {
			return err
		}
		v.after = append(v.after, func() { _ = next.stop(context.WithoutCancel(ctx)) })
		v.database = postgresURL(wire.port, databaseName(v.scene))
		var running []*hubProcess
		for n := range hubs {
			h, err := v.start(ctx, n, "")
			if err != nil {
				return err
			}
			running = append(running, h)
		}
		v.ask(running...)
		return v.failOver(ctx, running, func() error {
			stream.refusing.Store(true)
			stream.breakSome(1, true)
			return nil
		}, func() error {
			if err := server.stop(ctx); err != nil {
				return err
			}
			if err := next.promote(ctx); err != nil {
				return err
			}
			wire.leadTo(next.at())
			return nil
		})
	}
}

// failOver has everything renewed all the time, cuts the standby off, and promotes it.
func (v *venue) failOver(ctx context.Context, hubs []*hubProcess, cut, promote func() error) error {
	if _, err := v.busy(ctx, hubs[0], shortLife, longLife); err != nil {
		return err
	}
	if err := wait(ctx, 3*time.Second); err != nil { // what streams has arrived
		return err
	}
	if err := cut(); err != nil {
		return err
	}
	if err := wait(ctx, behind(v.stage)); err != nil {
		return err
	}
	reached, err := v.generations(ctx, hubs[0], v.all())
	if err != nil {
		return err
	}
	if err := promote(); err != nil {
		return err
	}
	begin := time.Now()
	listed, err := v.compared(ctx, hubs[0])
	if err != nil {
		return err
	}
	if len(listed) > 0 { // what nobody has newer: an administrator has it tried once
		if err := v.client.decide(ctx, hubs[0].url, "try", listed); err != nil {
			return err
		}
	}
	if err := v.passed(ctx, hubs[0], reached); err != nil {
		return err
	}
	back := 0
	for _, h := range hubs {
		back += h.says("database is older than the data folder")
	}
	if back == 0 {
		v.problem("no hub says that the database went back")
	}
	v.authority.SetAccessLife(time.Hour)
	v.remark = fmt.Sprintf("%s behind; every grant renewed again %s after the promotion, %d of them tried once by an administrator", behind(v.stage), time.Since(begin).Round(time.Second), len(listed))
	return v.renewed(ctx, hubs[0], v.all())
}
