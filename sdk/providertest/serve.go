package providertest

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin" //nolint:depguard // starts the plugin under test, as a host does

	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// serve starts the provider of a config. What a binary writes to its standard
// error goes to logs.
func serve(config Config, logs *buffer) (client *providerplugin.Client, stop func(), err error) {
	switch {
	case config.Binary != "":
		return serveBinary(config.Binary, logs)
	case config.Provider != nil:
		return providerplugin.InProcess(config.Provider)
	}
	return nil, nil, errors.New("providertest: set Config.Provider or Config.Binary")
}

func serveBinary(path string, logs *buffer) (*providerplugin.Client, func(), error) {
	process := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  providerplugin.Handshake,
		VersionedPlugins: providerplugin.Plugins(),
		Cmd:              exec.Command(path),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		Stderr:           logs,
		Logger:           hclog.NewNullLogger(),
	})
	protocol, err := process.Client()
	if err != nil {
		process.Kill()
		return nil, nil, fmt.Errorf("start the plugin %s: %w", path, err)
	}
	raw, err := protocol.Dispense(providerplugin.DispenseName)
	if err != nil {
		process.Kill()
		return nil, nil, fmt.Errorf("the plugin %s: %w", path, err)
	}
	client, ok := raw.(*providerplugin.Client)
	if !ok {
		process.Kill()
		return nil, nil, fmt.Errorf("the plugin %s serves a %T", path, raw)
	}
	return client, process.Kill, nil
}

// buffer is a bytes.Buffer for concurrent use.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
