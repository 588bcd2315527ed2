package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Descriptors that Command gives to the shim.
const (
	programFD = 3
	configFD  = 4
	outcomeFD = 5
)

// Available reports whether programs can be run in a sandbox at all, and why not.
func Available() (bool, string) {
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		return false, "/proc is not mounted"
	}
	return true, ""
}

// The shim takes over here: before main, so that whatever executable has this
// package can be one, and nothing of it is set up in vain.
func init() { //nolint:gochecknoinits // see above
	if len(os.Args) > 0 && os.Args[0] == ShimName {
		become()
	}
}

// shim is the state of a start.
type shim struct {
	program Program
	report  report
}

// become turns this process into the program. It does not return.
func become() {
	// Landlock, seccomp and capabilities are a thread's; the exec keeps this one's.
	runtime.LockOSThread()
	unix.CloseOnExec(outcomeFD)
	s := &shim{}
	if err := s.run(); err != nil {
		s.report.Error = err.Error()
		s.say()
	}
	os.Exit(126)
}

// run takes everything away and executes the program. It returns only errors.
func (s *shim) run() error {
	config := os.NewFile(configFD, "config")
	if err := json.NewDecoder(config).Decode(&s.program); err != nil {
		return fmt.Errorf("read what to run: %w", err)
	}
	_ = config.Close()
	unix.Umask(0o077)
	s.walls(s.enter())
	if err := unix.Chdir(s.program.Dir); err != nil {
		return fmt.Errorf("enter its folder: %w", err)
	}
	target, err := s.target()
	if err != nil {
		return err
	}
	s.limit()
	s.dropRights()
	s.landlock(target)
	s.seccomp()
	if s.program.Required && len(Missing(s.report.Layers)) > 0 {
		s.report.Refused = true
		s.say()
		os.Exit(126)
	}
	return s.exec(target)
}

// walls notes what the clone gave: the name spaces.
func (s *shim) walls(files error) {
	switch {
	case !s.program.Spaces:
		why := "no name spaces: " + s.program.SpacesError
		s.off(LayerFiles, why)
		s.off(LayerNetwork, why)
		s.off(LayerProcesses, why)
	case files != nil:
		s.off(LayerFiles, files.Error())
		s.on(LayerNetwork, "a name space without any network")
		s.on(LayerProcesses, "a name space of its own")
	default:
		s.on(LayerFiles, "a root of its own, nothing of the hub's")
		s.on(LayerNetwork, "a name space without any network")
		s.on(LayerProcesses, "a name space of its own")
	}
}

func (s *shim) on(name, detail string) {
	s.report.Layers = append(s.report.Layers, Layer{Name: name, On: true, Detail: detail})
}

func (s *shim) off(name, why string) {
	s.report.Layers = append(s.report.Layers, Layer{Name: name, Detail: why})
}

func (s *shim) say() {
	data, err := json.Marshal(s.report)
	if err == nil {
		_, err = unix.Write(outcomeFD, data)
	}
	if err != nil { // the hub is gone, or never to know
		os.Exit(125)
	}
}

// exec becomes the program. The pipe of what it says closes with that; if it fails,
// there is a second word.
func (s *shim) exec(target int) error {
	args := []string{s.program.Name}
	if s.program.Interpreter != "" {
		args = []string{s.program.Interpreter, s.scriptPath()}
	}
	argv, err := pointers(args)
	if err != nil {
		return err
	}
	env, err := pointers(s.program.Env)
	if err != nil {
		return err
	}
	s.say()
	empty := []byte{0}
	if err := s.limitMemory(); err != nil {
		return err
	}
	for try := 1; ; try++ {
		_, _, errno := unix.RawSyscall6(unix.SYS_EXECVEAT, uintptr(target), uintptr(unsafe.Pointer(&empty[0])),
			uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&env[0])), unix.AT_EMPTY_PATH, 0)
		// Whoever forks at the wrong moment holds a file that was just written.
		switch {
		case errno == unix.EACCES && s.program.UID != 0:
			return fmt.Errorf("execute it as a user of its own, which may not: run chmod 755 %s, and mount its file system without noexec", s.program.Name)
		case errno != unix.ETXTBSY || try == 5:
			return fmt.Errorf("execute it: %w", errno)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func pointers(words []string) ([]*byte, error) {
	list := make([]*byte, 0, len(words)+1)
	for _, w := range words {
		p, err := unix.BytePtrFromString(w)
		if err != nil {
			return nil, fmt.Errorf("pass %q on: %w", w, err)
		}
		list = append(list, p)
	}
	return append(list, nil), nil
}
