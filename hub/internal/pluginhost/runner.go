package pluginhost

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/hashicorp/go-plugin/runner"

	"github.com/evergrant/evergrant/hub/internal/sandbox"
)

// processRunner gives go-plugin a process of the host. go-plugin gets the handshake, the
// exit, and a way to kill it; never its standard error, because plugin output can crash
// go-plugin's reader.
type processRunner struct {
	source  Source
	program *program
	confine *confinement
	// dir is the plugin's private folder, its working directory and the only
	// place where its socket may be. env is complete.
	dir string
	env []string
	// folder is what the path dir means to the plugin, if that is another folder.
	folder *os.File
	output *output
	tail   *tail
	// starting ends when the start is cancelled; the process is then killed at once. It
	// counts until settle is called.
	starting context.Context
	settle   func() bool
	// process is set by Start, unless that failed before there was one.
	process   *process
	handshake string
	// layers are the walls around it; none without a sandbox.
	layers []sandbox.Layer
}

var _ runner.Runner = (*processRunner)(nil)

// Start starts the process and returns when it has introduced itself.
func (r *processRunner) Start(ctx context.Context) error {
	if longest := len(r.dir) + len("/plugin4294967295"); longest > maxSocketPath {
		return defectf("the path of its socket would have %d bytes, the system allows %d: choose a shorter folder than %s", longest, maxSocketPath, r.dir)
	}
	p, err := r.start()
	if err != nil {
		return err
	}
	r.process = p
	go r.limits().watch(p)
	p.reading.Go(func() { r.output.read(p.stderr, r.tail) })
	introduced := make(chan error, 1)
	p.reading.Go(func() {
		stdout := bufio.NewReaderSize(p.stdout, maxHandshake)
		var err error
		r.handshake, err = readHandshake(stdout)
		introduced <- err
		discard(stdout) // for ever, or the plugin blocks
	})
	go p.finish()
	r.settle = context.AfterFunc(r.starting, p.kill)
	if err := r.await(ctx, introduced); err != nil {
		p.kill()
		return err
	}
	return nil
}

// start starts the process, in the sandbox if there is one.
func (r *processRunner) start() (p *process, err error) {
	if r.confine.mode == sandbox.Off {
		return startProcess(plainCommand(r.source.Path, r.dir, r.env))
	}
	p, r.folder, r.layers, err = r.confine.startConfined(r.source, r.program, r.dir, r.env)
	return p, err
}

// await waits for the handshake, an exit, or the end of ctx.
func (r *processRunner) await(ctx context.Context, introduced <-chan error) error {
	var err error
	select {
	case err = <-introduced:
	case <-r.process.finished: // a grandchild may hold the pipe: no end of file then
		select {
		case err = <-introduced:
		default:
			err = io.EOF
		}
	case <-ctx.Done():
		return errors.New("it did not introduce itself in time: no handshake on standard output")
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	if !r.process.waitExit(drainAfterExit) {
		return defectf("it closed its standard output without a handshake")
	}
	return fmt.Errorf("it ended before the handshake (%s)", r.process.status)
}

// words are the last lines that the process wrote. If it is gone, they are all read
// first, which takes a moment at most.
func (r *processRunner) words() []LogLine {
	if r.process == nil {
		return nil
	}
	if r.process.hasExited() {
		<-r.process.finished
	}
	return r.tail.words()
}

// Wait implements runner.AttachedRunner.
func (r *processRunner) Wait(context.Context) error {
	if r.process != nil {
		<-r.process.exited
	}
	return nil
}

// Kill implements runner.AttachedRunner. It does not wait.
func (r *processRunner) Kill(context.Context) error {
	if r.process != nil {
		r.process.kill()
	}
	return nil
}

// Stdout returns the handshake and nothing more; the rest is drained by us.
func (r *processRunner) Stdout() io.ReadCloser {
	return io.NopCloser(strings.NewReader(r.handshake + "\n"))
}

// Stderr returns nothing; output reads it.
func (r *processRunner) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name implements runner.Runner.
func (r *processRunner) Name() string { return r.source.Path }

// ID implements runner.AttachedRunner.
func (r *processRunner) ID() string {
	if r.process == nil {
		return ""
	}
	return strconv.Itoa(r.process.pid)
}

// Diagnose implements runner.Runner; our errors say it already.
func (r *processRunner) Diagnose(context.Context) string { return "" }

// PluginToHost refuses any address that is not a socket in the plugin's folder,
// before anything is dialled or looked up.
func (r *processRunner) PluginToHost(network, address string) (hostNetwork, hostAddress string, err error) {
	seen := r.dir
	if r.folder != nil {
		seen = fmt.Sprintf("/proc/self/fd/%d", r.folder.Fd())
	}
	hostAddress, err = checkSocket(r.dir, seen, network, address)
	return network, hostAddress, err
}

// HostToPlugin implements runner.AddrTranslator: there is no border in between.
func (r *processRunner) HostToPlugin(network, address string) (pluginNetwork, pluginAddress string, err error) {
	return network, address, nil
}
