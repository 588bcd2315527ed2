package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// instance is one process of a plugin and the connection to it. It is never
// started twice: go-plugin's client cannot be.
type instance struct {
	source Source
	// program is the sum of its program, sum that of its content.
	program, sum string
	startedAt    time.Time
	readyAt      time.Time
	runner       *processRunner
	client       *goplugin.Client
	conn         *grpc.ClientConn
	watchdog     *watchdog
	// operations and info are set when the instance is ready.
	operations *providerplugin.Client
	info       *providerplugin.PluginInfo
	// problems are of documents that it does not serve.
	problems []providerplugin.DocumentProblem
	// uses is what it uses that is deprecated or may become so.
	uses []string
	// calls counts what runs on it. Nothing is added once it is no longer
	// its supervisor's current one.
	calls sync.WaitGroup
	// stopped guards the one stop; its others wait for it.
	stopped sync.Once
}

// launch starts a plugin and returns a ready instance. Whatever fails, no process
// and no file is left. When ctx ends, the process is killed at once.
func (h *Host) launch(ctx context.Context, source Source, out *output) (*instance, error) {
	program, err := openProgram(source)
	if err != nil {
		return nil, err
	}
	defer program.close()
	sockets, err := h.runtimeDir.use()
	if err != nil {
		return nil, err
	}
	opts := h.opts
	in := &instance{source: source, program: program.sum, sum: contentSum(program.sum, source.Documents.Sum()), startedAt: time.Now(), watchdog: &watchdog{limit: opts.CallTimeout, lost: func() {}, hopeless: func() {}}}
	in.runner = &processRunner{source: source, program: program, confine: h.confine, output: out, tail: newTail(out), starting: ctx, settle: func() bool { return true }}
	in.client = goplugin.NewClient(in.clientConfig(sockets, opts))
	if err = in.introduce(ctx, opts); err == nil {
		err = errors.Join(program.unchanged(), in.isAsApproved())
	}
	in.runner.settle()
	if err == nil && ctx.Err() == nil {
		in.readyAt, in.uses = time.Now(), usesOf(in.info, program)
		return in, nil
	}
	if p := in.runner.process; p != nil {
		p.kill()
	}
	in.stop(0)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("the start was given up: %w", context.Cause(ctx))
	}
	return nil, withWords(err, in.runner.words())
}

// clientConfig is go-plugin's configuration for one start. It is used once.
func (in *instance) clientConfig(sockets string, opts Options) *goplugin.ClientConfig {
	return &goplugin.ClientConfig{
		HandshakeConfig:  providerplugin.Handshake(),
		VersionedPlugins: providerplugin.HostPlugins(opts.Limits),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     opts.StartTimeout,
		Logger:           hclog.NewNullLogger(), // whatever matters is an error or seen by us
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: sockets},
		GRPCDialOptions:  dialOptions(opts.ConnectTimeout, in.watchdog, opts.Traces),
		SyncStdout:       in.runner.output.writer(in.runner.tail),
		SyncStderr:       in.runner.output.writer(in.runner.tail),
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, dir string) (runner.Runner, error) {
			in.runner.dir, in.runner.env = dir, append(cmd.Env, "TMPDIR="+dir)
			return in.runner, nil
		},
	}
}

// introduce takes a new client from nothing to ready.
func (in *instance) introduce(ctx context.Context, opts Options) error {
	err := guarded(func() error {
		_, err := in.client.Start()
		return err
	})
	if err != nil {
		return err
	}
	connecting, cancel := context.WithTimeout(ctx, opts.ConnectTimeout)
	defer cancel()
	if err := guarded(in.connect); err != nil {
		return err
	}
	if err := in.awaitServing(connecting); err != nil {
		return err
	}
	describing, cancel := context.WithTimeout(ctx, opts.CallTimeout)
	defer cancel()
	if err := in.describe(describing); err != nil {
		return err
	}
	loading, cancel := context.WithTimeout(ctx, opts.CallTimeout)
	defer cancel()
	return in.load(loading)
}

// describe has the plugin describe itself.
func (in *instance) describe(ctx context.Context) (err error) {
	in.info, err = in.operations.Describe(ctx)
	if unfit, ok := errors.AsType[*providerplugin.UnfitError](err); ok {
		return defectf("%s", unfit.Error())
	}
	if failure, ok := errors.AsType[*providerplugin.PluginError](err); ok && !failure.Gone {
		return defectf("its description cannot be used: %s", failure.Message)
	}
	if err != nil {
		return fmt.Errorf("it did not describe itself: %w", err)
	}
	return nil
}

// isAsApproved compares the plugin's description with what was approved.
func (in *instance) isAsApproved() error {
	pack := in.source.Package
	if pack == nil {
		return nil
	}
	if pack.Reports != "" && in.info.Version != pack.Reports {
		return defectf("it says to be version %q, its package is of %q", in.info.Version, pack.Reports)
	}
	for _, d := range in.info.Descriptions {
		hosts := make([]string, 0, len(d.Hosts))
		for _, h := range d.Hosts {
			hosts = append(hosts, h.Pattern)
		}
		if refused := in.source.approves(d.Name, hosts); refused != "" {
			return defectf("its provider %s wants to talk to %s, which its package does not name and nobody approved", d.Name, quoteStart([]byte(refused)))
		}
	}
	return nil
}

// connect makes the connection and the client of operations.
func (in *instance) connect() error {
	protocol, err := in.client.Client()
	if err != nil {
		return fmt.Errorf("connect to the plugin: %w", err)
	}
	grpcClient, ok := protocol.(*goplugin.GRPCClient)
	if !ok {
		return defectf("it does not serve gRPC")
	}
	in.conn = grpcClient.Conn
	dispensed, err := grpcClient.Dispense(providerplugin.DispenseName)
	if err != nil {
		return fmt.Errorf("ask for the plugin's client: %w", err)
	}
	in.operations, ok = dispensed.(*providerplugin.Client)
	if !ok {
		return errors.New("the plugin's client has an unknown type")
	}
	return nil
}

// awaitServing waits until the plugin's health is SERVING. Its error is the last answer
// of the plugin, not the end of the wait that cut off a later question.
func (in *instance) awaitServing(ctx context.Context) error {
	var answer error
	for {
		err := in.healthy(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil && answer != nil {
			err = answer
		}
		answer = err
		again := time.NewTimer(50 * time.Millisecond)
		select {
		case <-in.runner.process.finished:
			again.Stop()
			return fmt.Errorf("it ended before it was ready (%s)", in.runner.process.status)
		case <-ctx.Done():
			again.Stop()
			return fmt.Errorf("it was not healthy in time: %w", err)
		case <-again.C:
		}
	}
}

// healthy checks the plugin's health. Unlike go-plugin's Ping it evaluates the answer.
func (in *instance) healthy(ctx context.Context) error {
	reply, err := grpc_health_v1.NewHealthClient(in.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName})
	if err != nil {
		return fmt.Errorf("no answer to the health check (%s)", status.Code(err))
	}
	if reply.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		return fmt.Errorf("the health check says %s", quoteStart([]byte(reply.GetStatus().String())))
	}
	return nil
}

// probe checks more than health: a plugin may report SERVING while its operations hang.
func (in *instance) probe(ctx context.Context) error {
	if err := in.healthy(ctx); err != nil {
		return err
	}
	if _, err := in.operations.Describe(ctx); err != nil {
		return errors.New("it is healthy but answers no operation")
	}
	return nil
}

// guarded calls go-plugin, which may panic on what a plugin sends.
func guarded(call func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = defectf("go-plugin cannot handle what it sent: %s", quoteStart(fmt.Append(nil, r)))
		}
	}()
	return call()
}

// removeDir removes the instance's private folder.
func (in *instance) removeDir() {
	if in.runner.folder != nil {
		_ = in.runner.folder.Close()
	}
	if in.runner.dir != "" {
		_ = os.RemoveAll(in.runner.dir)
	}
}
