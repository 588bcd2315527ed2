package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub"
)

// unit reads the settings of the [Service] section, in order.
func unit(t *testing.T) map[string][]string {
	t.Helper()
	settings, section := map[string][]string{}, ""
	for line := range strings.Lines(read(t, root+"/packaging/systemd/evergrant.service")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
		}
		if name, value, is := strings.Cut(line, "="); is && section == "[Service]" && !strings.HasPrefix(line, "#") {
			settings[name] = append(settings[name], value)
		}
	}
	return settings
}

// A stop that is cut off loses a reply of a service, which may hold the only refresh token.
func TestTheUnitLetsAStopTakeItsTime(t *testing.T) {
	cfg, err := hub.LoadConfig("", nil, map[string]any{"public_url": "http://localhost:1"})
	if err != nil {
		t.Fatal(err)
	}
	settings := unit(t)
	if len(settings["TimeoutStopSec"]) != 1 {
		t.Fatalf("TimeoutStopSec is %q", settings["TimeoutStopSec"])
	}
	given, err := time.ParseDuration(settings["TimeoutStopSec"][0])
	if own := cfg.ShutdownTimeout + cfg.Renewal.ExchangeTimeout; err != nil || given <= own {
		t.Errorf("the unit gives a stop %v (%v), and the hub takes up to %v", given, err, own)
	}
	if got := settings["KillMode"]; !slices.Equal(got, []string{"mixed"}) { // plugins are ended by the hub
		t.Errorf("KillMode is %q", got)
	}
}

func TestTheUnitTakesWhatIsNotNeededAndLeavesWhatConfinesPlugins(t *testing.T) {
	settings := unit(t)
	for name, want := range map[string]string{
		"User": "evergrant", "StateDirectory": "evergrant", "StateDirectoryMode": "0700", "RuntimeDirectory": "evergrant", "UMask": "0077",
		"NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes",
		"ProtectKernelTunables": "yes", "ProtectKernelModules": "yes", "ProtectKernelLogs": "yes", "ProtectControlGroups": "yes",
		"RestrictSUIDSGID": "yes", "LockPersonality": "yes", "SystemCallArchitectures": "native", "Restart": "on-failure",
	} {
		if got := settings[name]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
	for _, breaks := range []string{"PrivateUsers", "ProtectProc", "ProcSubset", "MemoryDenyWriteExecute", "PrivateNetwork", "DynamicUser"} {
		if got := settings[breaks]; got != nil {
			t.Errorf("%s=%s takes away what the hub needs", breaks, got)
		}
	}
	spaces := strings.Fields(strings.Join(settings["RestrictNamespaces"], " "))
	for _, needed := range []string{"user", "mnt", "net", "pid", "ipc", "uts"} {
		if !slices.Contains(spaces, needed) {
			t.Errorf("the sandbox of plugins needs name spaces of %s", needed)
		}
	}
	for _, filter := range settings["SystemCallFilter"] {
		if !strings.HasPrefix(filter, "~") || strings.Contains(filter, "@mount") || strings.Contains(filter, "@privileged") {
			t.Errorf("SystemCallFilter=%s takes landlock or mounts from the sandbox of plugins", filter)
		}
	}
}

// systemd itself reads the unit: it knows every setting, and counts it among the tight ones.
func TestSystemdAcceptsTheUnit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not here")
	}
	text := strings.NewReplacer("/usr/local/bin/evergrant", "/bin/true").Replace(read(t, root+"/packaging/systemd/evergrant.service"))
	file := filepath.Join(t.TempDir(), "evergrant.service")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", file).CombinedOutput()
	if err != nil || strings.Contains(string(out), "evergrant.service:") {
		t.Errorf("verify: %v\n%s", err, out)
	}
	out, err = exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--threshold=35", file).CombinedOutput()
	if err != nil {
		t.Errorf("it is more open than 3.5 of 10: %v\n%s", err, out)
	}
}
