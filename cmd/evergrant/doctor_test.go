package main

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub"
)

func TestDoctorPrintsALineForEachCheckAndFailsIfOneDoes(t *testing.T) {
	binary := built(t)
	doctor := func(arguments ...string) (string, int) {
		command := exec.CommandContext(t.Context(), binary, append([]string{"doctor"}, arguments...)...)
		command.Env = []string{"EVERGRANT_DATA_DIR=" + t.TempDir(), "EVERGRANT_PLUGINS_DIR=" + t.TempDir(), "EVERGRANT_PUBLIC_URL=https://hub.invalid"}
		out, err := command.Output()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return string(out), exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		return string(out), 0
	}
	out, code := doctor()
	if code != 1 || !strings.Contains(out, "fail  callback  hub.invalid cannot be resolved  — add it to the DNS, or mend public_url\n") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	for line := range strings.Lines(out) {
		if level, _, _ := strings.Cut(line, " "); level != "ok" && level != "warn" && level != "fail" {
			t.Errorf("a line of another form: %s", line)
		}
	}
	out, code = doctor("--json")
	var found []hub.Finding
	if err := json.Unmarshal([]byte(out), &found); err != nil || code != 1 || len(found) < 6 {
		t.Errorf("exit code %d, %v:\n%s", code, err, out)
	}
}
