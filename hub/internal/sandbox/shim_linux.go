package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// Descriptors that Command gives to the shim.
const (
	programFD = 3
	configFD  = 4
	outcomeFD = 5
	folderFD  = 6
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
	// boundFiles is set once its folder is a file system of a bounded size.
	boundFiles bool
}

// become turns this process into the program. It does not return.
func become() {
	// Landlock, seccomp and capabilities are a thread's; the exec keeps this one's.
	runtime.LockOSThread()
	unix.CloseOnExec(outcomeFD)
	unix.CloseOnExec(folderFD)
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
	call, err := s.callOf(target)
	if err != nil {
		return err
	}
	s.limit()
	s.dropRights()
	s.landlock(target)
	s.seccomp(call)
	if s.program.Required && len(Missing(s.report.Layers)) > 0 {
		s.report.Refused = true
		s.say()
		os.Exit(126)
	}
	return s.exec(call)
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
