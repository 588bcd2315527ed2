//go:build crashpoints

package crashpoint

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv("CRASHPOINT_VICTIM") == "" {
		os.Exit(m.Run())
	}
	At(BeforeIntent)
	At(Journaled)
	At(Journaled)
	os.Exit(7)
}

func TestAProcessIsKilledAtTheStepThatTheEnvironmentNames(t *testing.T) {
	for crash, dies := range map[string]bool{
		"": false, BeforeIntent: true, Saved: false, "journaled:2": true, "journaled:3": false, "journaled:1:plugin": false,
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

func TestAMistypedStepIsRefused(t *testing.T) {
	for _, text := range []string{"nowhere", "saved:0", "saved:twice"} {
		if _, err := parse(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}
