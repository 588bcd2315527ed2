package providertest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin" //nolint:depguard // starts the plugin under test, as a host does

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// granted is what every hub can be configured to grant.
var granted = providerplugin.Limits{Steps: 256, BodyBytes: 8 << 20}

// serve starts the provider of a config. What a binary writes to its standard
// error goes to logs.
func serve(config Config, logs *buffer) (client *providerplugin.Client, stop func(), err error) {
	switch {
	case config.Binary != "" && config.Start != nil:
		return config.Start(config.Binary, logs)
	case config.Binary != "":
		return serveBinary(config.Binary, logs)
	case config.Provider != nil:
		return providerplugin.InProcessWith(providerplugin.ServeConfig{Providers: []provider.Provider{config.Provider}, Limits: config.Limits}, granted)
	}
	return nil, nil, errors.New("providertest: set Config.Provider or Config.Binary")
}

// serveBinary starts a plugin with a folder for its socket and its files, as a hub
// does; it goes with the plugin.
func serveBinary(path string, logs *buffer) (client *providerplugin.Client, stop func(), err error) {
	folder, err := os.MkdirTemp("", "evergrant-")
	if err != nil {
		return nil, nil, fmt.Errorf("make a folder for the plugin's socket: %w", err)
	}
	command := exec.Command(path)
	command.Env = []string{plugin.EnvUnixSocketDir + "=" + folder, "TMPDIR=" + folder}
	process := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  providerplugin.Handshake(),
		VersionedPlugins: providerplugin.HostPlugins(granted),
		Cmd:              command,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		Stderr:           logs,
		Logger:           hclog.NewNullLogger(),
	})
	end := func() {
		process.Kill()
		_ = os.RemoveAll(folder)
	}
	defer func() {
		if err != nil {
			end()
		}
	}()
	protocol, err := process.Client()
	if err != nil {
		return nil, nil, fmt.Errorf("start the plugin %s: %w%s", path, err, logs.last())
	}
	raw, err := protocol.Dispense(providerplugin.DispenseName)
	if err != nil {
		return nil, nil, fmt.Errorf("the plugin %s: %w", path, err)
	}
	client, ok := raw.(*providerplugin.Client)
	if !ok {
		return nil, nil, fmt.Errorf("the plugin %s serves a %T", path, raw)
	}
	return client, end, nil
}

// maxLogs bounds what is kept of a plugin's output, in bytes.
const maxLogs = 16 << 20

// buffer is a bytes.Buffer for concurrent use that keeps what comes first.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if room := maxLogs - b.b.Len(); room < len(p) {
		b.b.Write(p[:max(0, room)])
		return len(p), nil
	}
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// last are the last lines, for an error; "" if there are none.
func (b *buffer) last() string {
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	lines = lines[max(0, len(lines)-10):]
	if lines[len(lines)-1] == "" {
		return ""
	}
	for i, line := range lines {
		quoted := strconv.QuoteToGraphic(line[:min(len(line), 300)])
		lines[i] = quoted[1 : len(quoted)-1]
	}
	return "; it wrote:\n  " + strings.Join(lines, "\n  ")
}
