package pluginhost

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"

	"github.com/evergrant/evergrant/hub/internal/sandbox"
)

// Default memory of a plugin, in bytes: of a static program, and of one with an
// interpreter or the system's libraries.
const (
	defaultMemory       = 256 << 20
	defaultMemorySystem = 1 << 30
)

// firstUID is the first user id of plugins: a range that is not assigned otherwise
// (systemd's UIDS-GIDS.md lists it as unused).
const (
	firstUID = 0x70000000
	uidCount = 1 << 16
)

// confinement decides how the host's plugins are confined. It is safe for
// concurrent use.
type confinement struct {
	mode sandbox.Mode
	// disk bounds the files of each plugin, in bytes.
	disk uint64

	mu sync.Mutex
	// noSpaces is why the system makes no name spaces; nil until it refused.
	noSpaces error
	uids     map[uint32]string // by plugin; bounded by the names of plugins ever installed
}

func newConfinement(mode sandbox.Mode, disk uint64) (*confinement, error) {
	if available, why := sandbox.Available(); !available && mode != sandbox.Off {
		if mode == sandbox.Required {
			return nil, fmt.Errorf("plugins.sandbox is required, but there is none: %s", why)
		}
		mode = sandbox.Off
	}
	return &confinement{mode: mode, disk: disk, uids: map[uint32]string{}}, nil
}

// uidOf is the user that a plugin runs as: always the same, each plugin another;
// 0 if the hub may not change users.
func (c *confinement) uidOf(plugin string) uint32 {
	if os.Geteuid() != 0 || c.mode == sandbox.Off {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := crc32.ChecksumIEEE([]byte(plugin)); ; n++ {
		uid := firstUID + n%uidCount
		if owner, taken := c.uids[uid]; !taken || owner == plugin {
			c.uids[uid] = plugin
			return uid
		}
	}
}

func (c *confinement) spaces() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.noSpaces
}

func (c *confinement) refused(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noSpaces = err
}

// own gives a plugin its private folder, and returns the user id it runs as.
func (c *confinement) own(dir, plugin string) uint32 {
	uid := c.uidOf(plugin)
	if uid == 0 || os.Chown(dir, int(uid), int(uid)) != nil { // a container may not know the user
		return 0
	}
	return uid
}

// memory is what a plugin may have, in bytes.
func (p *program) memory(source Source) uint64 {
	switch pack := source.Package; {
	case pack != nil && pack.MemoryMiB > 0:
		return uint64(pack.MemoryMiB) << 20
	case p.dynamic || p.interpreter != "":
		return defaultMemorySystem
	default:
		return defaultMemory
	}
}

// program is the sandbox's description of a plugin.
func (c *confinement) program(source Source, p *program, dir string, env []string) sandbox.Program {
	what := sandbox.Program{
		Name: source.Path, Dir: dir, Env: env, Interpreter: p.interpreter,
		System: p.dynamic || p.interpreter != "", Memory: p.memory(source), Disk: c.disk,
		Required: c.mode == sandbox.Required,
	}
	// Without a root of its own another user could not read its script.
	if c.spaces() == nil || p.interpreter == "" {
		what.UID = c.own(dir, source.Name)
	}
	if p.interpreter == "" {
		return what
	}
	if pack := source.Package; pack != nil {
		what.Tree, what.Script, what.Files = pack.Dir, pack.Entry, pack.Files
		return what
	}
	script, err := filepath.EvalSymlinks(source.Path)
	if err != nil {
		script = source.Path
	}
	what.Tree, what.Script = filepath.Dir(script), filepath.Base(script)
	return what
}

// startConfined starts a plugin's process in the sandbox. Whether the system has name
// spaces is determined once. The folder is nil where it is dir itself; see
// sandbox.Started.Folder.
func (c *confinement) startConfined(source Source, p *program, dir string, env []string) (*process, *os.File, []sandbox.Layer, error) {
	what := c.program(source, p, dir, env)
	why := c.spaces()
	for {
		cmd, started, err := sandbox.Command(p.file, what, why == nil, why)
		if err != nil {
			return nil, nil, nil, err
		}
		process, err := startProcess(cmd)
		if err != nil && why == nil && sandbox.NoSpaces(err) {
			_, _ = started.Outcome(false) // nothing was started
			why = err
			c.refused(err)
			continue
		}
		layers, outcome := started.Outcome(err == nil)
		if err == nil && outcome != nil {
			process.end()
		}
		if _, missing := errors.AsType[*sandbox.MissingError](outcome); missing {
			outcome = defectf("%v", outcome)
		}
		return process, started.Folder(), layers, errors.Join(err, outcome)
	}
}
