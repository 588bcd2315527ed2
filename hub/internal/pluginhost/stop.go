package pluginhost

import (
	"context"
	"time"
)

// drain waits until nothing runs on the instance, or until ctx ends. It must no
// longer be its supervisor's current one.
func (in *instance) drain(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		in.calls.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-in.runner.process.exited:
	case <-ctx.Done():
	}
}

// stop ends the process and frees all it held. A process that is well gets the
// grace to end by itself; for one that is sick the grace is zero, since asking
// it could take for ever. It takes at most the grace and twice killWait, and
// reports whether the process is gone. Calls after the first one wait for it.
func (in *instance) stop(grace time.Duration) (gone bool) {
	in.stopped.Do(func() { in.end(grace) })
	return in.runner.process == nil || in.runner.process.hasExited()
}

func (in *instance) end(grace time.Duration) {
	defer in.removeDir()
	p := in.runner.process
	if p == nil {
		in.free()
		return
	}
	if grace > 0 {
		go in.kill()
		p.waitExit(grace)
	}
	p.kill()
	p.waitExit(killWait)
	in.free()
	in.runner.output.flush()
}

// free has go-plugin let go of its goroutines and the connection.
func (in *instance) free() {
	freed := make(chan struct{})
	go func() {
		defer close(freed)
		in.kill()
	}()
	timer := time.NewTimer(killWait)
	defer timer.Stop()
	select {
	case <-freed:
	case <-timer.C:
	}
}

// kill is go-plugin's Kill, which requests the exit, waits 2 seconds and kills. It blocks
// for as long as the plugin keeps it waiting.
func (in *instance) kill() {
	_ = guarded(func() error {
		in.client.Kill()
		return nil
	})
}
