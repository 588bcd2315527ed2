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
var Handshake = plugin.HandshakeConfig{
	MagicCookieKey:   "EVERGRANT_PLUGIN",
	MagicCookieValue: "0f6c8bd4-provider",
}

// DispenseName is the name under which go-plugin hands out the Client.
const DispenseName = "provider"

// MaxMessage bounds a message in either direction, in bytes.
const MaxMessage = 1 << 20

// Plugins are the protocol versions spoken, for go-plugin's VersionedPlugins.
// Serve passes its providers; a host passes none.
func Plugins(providers ...provider.Provider) map[int]plugin.PluginSet {
	return map[int]plugin.PluginSet{
		1: {DispenseName: &v1Plugin{providers: providers}},
	}
}

// v1Plugin is the go-plugin border of protocol version 1.
type v1Plugin struct {
	plugin.NetRPCUnsupportedPlugin
	providers []provider.Provider
}

var _ plugin.GRPCPlugin = (*v1Plugin)(nil)

// GRPCServer implements plugin.GRPCPlugin on the plugin's side.
func (p *v1Plugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	if len(p.providers) == 0 {
		return errors.New("providerplugin: Serve was called without a provider")
	}
	server, err := newV1Server(p.providers)
	if err != nil {
		return err
	}
	providerv1.RegisterProviderServiceServer(s, server)
	return nil
}

// GRPCClient implements plugin.GRPCPlugin on the host's side.
func (p *v1Plugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return newV1Client(conn), nil
}
