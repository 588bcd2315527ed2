package providerplugin

import (
	"context"
	"errors"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Handshake distinguishes an Evergrant plugin from other programs. It is no security
// measure: it makes a plugin that is started by hand print an explanation.
func Handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{MagicCookieKey: "EVERGRANT_PLUGIN", MagicCookieValue: "0f6c8bd4-provider"}
}

// DispenseName is the name under which go-plugin hands out the Client.
const DispenseName = "provider"

// Plugins are the protocol versions spoken, for go-plugin's VersionedPlugins.
// A host that grants no more than the contract's own limits passes no provider.
func Plugins(providers ...provider.Provider) map[int]plugin.PluginSet {
	return pluginsOf(ServeConfig{Providers: providers}, Limits{})
}

// HostPlugins are Plugins for a host that grants more: at most the limits given.
func HostPlugins(most Limits) map[int]plugin.PluginSet {
	return pluginsOf(ServeConfig{}, most)
}

func pluginsOf(config ServeConfig, most Limits) map[int]plugin.PluginSet {
	return map[int]plugin.PluginSet{
		1: {DispenseName: &v1Plugin{config: config, most: most}},
	}
}

// v1Plugin is the go-plugin border of protocol version 1.
type v1Plugin struct {
	plugin.NetRPCUnsupportedPlugin
	// config is a plugin's, most what a host grants at the most.
	config ServeConfig
	most   Limits
}

var _ plugin.GRPCPlugin = (*v1Plugin)(nil)

// GRPCServer implements plugin.GRPCPlugin on the plugin's side.
func (p *v1Plugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	if len(p.config.Providers) == 0 && p.config.Documents == nil {
		return errors.New("providerplugin: Serve was called without a provider")
	}
	server, err := newV1Server(p.config)
	if err != nil {
		return err
	}
	providerv1.RegisterProviderServiceServer(s, server)
	return nil
}

// GRPCClient implements plugin.GRPCPlugin on the host's side.
func (p *v1Plugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return newV1Client(conn, p.most), nil
}
