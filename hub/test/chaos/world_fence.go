package main

import (
	"context"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
)

// fenced stops a hub between intent and request, has its identity taken by a copy of its
// folder, which renews what the hub had begun, and wakes the hub: it must send nothing.
func fenced(step string) func(context.Context, *venue) error {
	return func(ctx context.Context, v *venue) error {
		all := v.all()
		frozen, err := v.open(ctx, 0, fmt.Sprintf("%s:%d:barrier:stop", step, len(all)))
		if err != nil {
			return err
		}
		v.ask(frozen)
		v.renewAll(ctx, frozen)
		for !frozen.stopped() {
			if err := wait(ctx, pace); err != nil {
				return errNoStep
			}
		}
		if err := copyData(v.dataDir(0), v.dataDir(copied)); err != nil {
			return err
		}
		begin := time.Now()
		twin, err := v.start(ctx, copied, "")
		if err != nil {
			return err
		}
		for _, name := range all {
			if err := v.takenOver(ctx, twin, name); err != nil {
				return err
			}
		}
		took := time.Since(begin)
		before := v.sentBy(0)
		signalAll([]int{frozen.cmd.Process.Pid}, sigcont)
		if err := wait(ctx, 8*time.Second); err != nil { // a sign of life, and more
			return err
		}
		if late := v.sentBy(0) - before; late > 0 {
			v.problem("%d requests were sent by the hub whose identity was taken", late)
		}
		if frozen.says("continuing as a new replica") == 0 {
			v.problem("the hub whose identity was taken does not say so")
		}
		v.remark = fmt.Sprintf("%d renewals taken up in %s; 0 sent late", len(all), took.Round(time.Second))
		v.ask(frozen, twin)
		return v.renewed(ctx, frozen, all)
	}
}

var (
	fencedIntent  = fenced(crashpoint.AfterIntent)
	fencedWriting = fenced(crashpoint.Writing)
)
