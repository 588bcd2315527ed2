//go:build crashpoints

package crashpoint

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv("CRASHPOINT_VICTIM") == "" {
		os.Exit(m.Run())
	}
	At(BeforeIntent)
	var together sync.WaitGroup
	for range 2 {
		together.Go(func() { At(Journaled) })
	}
	together.Wait()
	os.Exit(7)
}

func TestAProcessIsKilledAtTheStepThatTheEnvironmentNames(t *testing.T) {
	for crash, dies := range map[string]bool{
		"": false, BeforeIntent: true, Saved: false, "journaled:2": true, "journaled:3": false, "journaled:1:plugin": false,
		"journaled:2:barrier": true, "journaled:2:barrier:plugin": false,
	} {
		victim := exec.Command(os.Args[0])
		victim.Env = append(os.Environ(), "CRASHPOINT_VICTIM=1", Env+"="+crash)
		err := victim.Run()
		status, _ := victim.ProcessState.Sys().(syscall.WaitStatus)
		if died := status.Signaled() && status.Signal() == syscall.SIGKILL; died != dies {
			t.Errorf("%q: %v", crash, err)
		}
	}
}

func TestAProcessStopsItselfUntilItIsWoken(t *testing.T) {
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), "CRASHPOINT_VICTIM=1", Env+"=journaled:2:barrier:stop")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(victim.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("it did not stop: %v, %v", status, err)
	}
	if err := victim.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if _, err := syscall.Wait4(victim.Process.Pid, &status, 0, nil); err != nil || status.ExitStatus() != 7 {
		t.Errorf("it did not go on: %v, %v", status, err)
	}
}

func TestAMistypedStepIsRefused(t *testing.T) {
	for _, text := range []string{"nowhere", "saved:0", "saved:twice", "saved:pause"} {
		if _, err := parse(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}
