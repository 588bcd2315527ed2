package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// stage is where commands are run.
type stage struct {
	hub                *hubtest.Running
	clone, home        string
	environment        []string
	words              *strings.Replacer
	page, block, where string
	// stays are commands that run until their block ends.
	stays []func()
}

func newStage(t *testing.T, clone string) *stage {
	t.Helper()
	r := hubtest.StartHub(t, map[string]any{"plugins.dir": filepath.Join(clone, "bin", "plugins")})
	world := hubtest.StartWorld(t, time.Hour)
	connection := r.AddService(t, world.Services[0])
	var service struct{ Service string }
	r.Admin.Must(t, "GET", "/api/v1/connections/"+connection, nil, &service)
	for _, name := range []string{"sales", "sales-bitrix24"} {
		r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": service.Service, "name": name, "title": name}, nil)
		r.Authorize(t, name)
	}
	home := t.TempDir()
	s := &stage{hub: r, clone: clone, home: home}
	for _, dir := range []string{"author", "etc", "backups", "staging", "var"} {
		if err := os.Mkdir(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s.environment = append(os.Environ(), "PATH="+filepath.Join(clone, "bin")+":"+os.Getenv("PATH"),
		"HUB="+r.Hub.URL(), "EVERGRANT_URL="+r.Hub.URL(), "EVERGRANT_API_KEY="+r.Admin.Key, "GOWORK=", "ARGS=", "EVERGRANT_TEST_CLONE=")
	backup := filepath.Join(home, "before")
	s.must(t, "evergrant backup -o "+backup)
	s.must(t, "evergrant restore "+backup+" --to "+filepath.Join(home, "staging"))
	s.words = strings.NewReplacer(
		"http://localhost:8080", r.Hub.URL(), "https://hub.example", r.Hub.URL(), "/etc/evergrant", filepath.Join(home, "etc"),
		"/tmp/my-hub", filepath.Join(home, "my-hub"), "127.0.0.1:8099", "127.0.0.1:"+strconv.Itoa(freePort(t)), "/backups", filepath.Join(home, "backups"),
		"restore FILE --to /srv/staging", "restore "+backup+" --to "+filepath.Join(home, "restored"), "restore FILE", "restore "+backup+" --to "+filepath.Join(home, "restored2"),
		"/srv/staging", filepath.Join(home, "staging"), "verify FILE", "verify "+backup, "key create FILE", "key create "+filepath.Join(home, "new.key"),
		"DIR", filepath.Join(home, "backups"), "NAME", "sales", "git clone ADDRESS", "git clone "+clone, "git clone АДРЕС", "git clone "+clone,
		"linux-amd64", "linux-"+runtime.GOARCH, "EVERGRANT_API_KEY=… ", "", `"generation": 7`, `"generation": 1`,
	)
	s.configure(t)
	return s
}

// configure writes the page's configuration, for a hub without a domain.
func (s *stage) configure(t *testing.T) {
	t.Helper()
	page, err := os.ReadFile("../../../docs/deploying.md")
	if err != nil {
		t.Fatal(err)
	}
	sample := regexp.MustCompile("(?ms)^```yaml\n(# evergrant.yaml\n.*?)^```$").FindStringSubmatch(string(page))
	if sample == nil {
		t.Fatal("docs/deploying.md has no evergrant.yaml")
	}
	address := "127.0.0.1:" + strconv.Itoa(freePort(t))
	text := strings.NewReplacer("127.0.0.1:8080", address, "https://tokens.example.com", "http://"+address, "/var/lib/evergrant", filepath.Join(s.home, "var")).Replace(sample[1])
	if err := os.WriteFile(filepath.Join(s.home, "etc", "evergrant.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// enter changes to where the commands of a block belong.
func (s *stage) enter(t *testing.T, c documented) {
	t.Helper()
	if s.page == c.page && s.block == c.block {
		return
	}
	for _, end := range s.stays {
		end()
	}
	s.stays, s.page, s.block, s.where = nil, c.page, c.block, s.clone
	switch {
	case strings.HasPrefix(c.block, "git clone"):
		s.where = t.TempDir()
	case c.page == "plugins/examples/README.md":
		s.where = filepath.Join(s.clone, "plugins", "examples")
	case c.page != "docs/plugin-authors.md", c.block == "":
	case strings.Contains(c.block, "plugin new"):
		s.where = filepath.Join(s.home, "author")
	case strings.Contains(c.block, "meters"):
		s.where = filepath.Join(s.home, "author", "evergrant-provider-meters")
		s.followGuide(t)
	default:
		s.where = filepath.Join(s.home, "author", "evergrant-provider-acme")
	}
}

// followGuide writes the files of the author's guide.
func (s *stage) followGuide(t *testing.T) {
	t.Helper()
	page, err := os.ReadFile("../../../docs/plugin-authors.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range regexp.MustCompile("(?ms)^```[a-z]+ (\\S+)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		if err := os.WriteFile(filepath.Join(s.where, file[1]), []byte(file[2]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// play runs a command and says what came of it.
func (s *stage) play(t *testing.T, c documented) string {
	t.Helper()
	s.enter(t, c)
	w, _ := wayOf(c.text)
	if w.out != "" {
		return "left out: " + w.out
	}
	command, note := c.text, ""
	if w.instead != "" {
		command = strings.ReplaceAll(w.instead, "${0}", c.text)
		note = ", as `" + command + "`"
	}
	command = s.words.Replace(command)
	if folder, ok := strings.CutPrefix(command, "cd "); ok {
		s.where = filepath.Join(s.where, folder)
		if _, err := os.Stat(s.where); err != nil {
			t.Error(err)
		}
		return "exit 0"
	}
	if strings.HasPrefix(command, "curl ") {
		command = s.asks(t, command)
	}
	if strings.Contains(command, "plugin install") && strings.Contains(command, "--enable") {
		s.trust(t)
		command += " --yes" // nobody is at a terminal
		note = ", with --yes"
	}
	code, out := s.run(t, command, w.until)
	if code != 0 {
		t.Errorf("%s:%d: %s: exit %d\n%s", c.page, c.line, command, code, out)
	}
	return fmt.Sprintf("exit %d%s", code, note)
}

// asks has curl fail when the hub refuses, and fills in what a person would paste.
func (s *stage) asks(t *testing.T, command string) string {
	t.Helper()
	if strings.Contains(command, "…/callback/…") {
		landed := s.hub.Grant(t, "sales", emulator.Choices{}).URL.String()
		command = strings.Replace(command, "https://…/callback/…?code=…&state=…", landed, 1)
	}
	return strings.Replace(command, "curl ", "curl --fail-with-body ", 1)
}

func (s *stage) trust(t *testing.T) {
	t.Helper()
	public, err := os.ReadFile(filepath.Join(s.where, "acme.key.pub"))
	if err != nil {
		t.Error(err)
		return
	}
	s.hub.Admin.Must(t, "POST", "/api/v1/plugin-keys", map[string]any{"title": "Acme", "public": strings.TrimSpace(string(public))}, nil)
}

func (s *stage) must(t *testing.T, command string) {
	t.Helper()
	s.where = s.home
	if code, out := s.run(t, command, ""); code != 0 {
		t.Fatalf("%s: exit %d\n%s", command, code, out)
	}
}

// run runs a command in a shell; with until it stays until its block ends, and is well
// when it has said that.
func (s *stage) run(t *testing.T, command, until string) (code int, out string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	cmd := exec.CommandContext(ctx, "bash", "-c", "exec 2>&1; "+map[bool]string{true: "exec "}[until != ""]+command)
	cmd.Dir, cmd.Env = s.where, s.environment
	if strings.HasPrefix(command, "evergrant") && !strings.Contains(command, "--config") && !strings.Contains(command, "--data-dir") {
		cmd.Env = append(cmd.Env, "EVERGRANT_DATA_DIR="+s.hub.Dir, "EVERGRANT_PUBLIC_URL="+s.hub.Hub.URL(), "EVERGRANT_LISTEN="+s.hub.Hub.Addr().String())
	}
	if until == "" {
		defer cancel()
		said, err := cmd.Output()
		if err != nil && cmd.ProcessState == nil {
			return -1, err.Error()
		}
		return cmd.ProcessState.ExitCode(), string(bytes.TrimSpace(said))
	}
	said := &hubtest.LogBuffer{}
	cmd.Stdout = said
	if err := cmd.Start(); err != nil {
		cancel()
		return -1, err.Error()
	}
	s.stays = append(s.stays, func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		cancel()
	})
	hubtest.Eventually(t, command+" says that it runs", func() bool { return regexp.MustCompile(until).MatchString(said.String()) })
	return 0, said.String()
}
