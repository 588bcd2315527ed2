package providerplugin

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
	"github.com/evergrant/evergrant/sdk/provider"
)

// ServeConfig is what a plugin serves and what it asks of the hub.
type ServeConfig struct {
	// Providers that are served. Required, unless there are Documents.
	Providers []provider.Provider
	// Documents are set for a plugin that makes providers of documents, those of the hub
	// among them.
	Documents *Documents
	// Needs are the features of the hub without which the plugin does not work, for
	// example FeatureLimits. A hub that lacks one refuses the plugin by that name.
	Needs []string
	// MinimumContract is the oldest revision of the contract that the plugin works with;
	// zero is 1.
	MinimumContract int
	// Limits are what the plugin asks for beyond the contract's own. A hub whose
	// configuration grants less refuses the plugin.
	Limits Limits
}

// requirements are those that are stated and those that follow from the rest.
func (c ServeConfig) requirements(served []*provider.Description) Requirements {
	needs := slices.Clone(c.Needs)
	if !c.Limits.IsZero() {
		needs = append(needs, FeatureLimits)
	}
	for _, d := range served {
		if strings.Contains(d.Name, ".") {
			needs = append(needs, FeaturePublisherNames)
		}
		if len(d.Parts) > 0 {
			needs = append(needs, FeatureParts)
		}
		for _, key := range d.Keys {
			if !key.Optional {
				needs = append(needs, keyFeatures[key.Use])
			}
		}
	}
	slices.Sort(needs)
	return Requirements{Needs: slices.Compact(needs), MinimumContract: max(1, c.MinimumContract), Limits: c.Limits.Filled()}
}

// Serve is the whole main of a plugin. It returns when the hub is gone.
//
//	func main() { providerplugin.Serve(acme.Provider()) }
func Serve(providers ...provider.Provider) { ServeWith(ServeConfig{Providers: providers}) }

// ServeWith is Serve for a plugin that asks something of the hub.
//
//	func main() {
//		providerplugin.ServeWith(providerplugin.ServeConfig{
//			Providers: []provider.Provider{acme.Provider()},
//			Limits:    providerplugin.Limits{Steps: 12},
//		})
//	}
func ServeWith(config ServeConfig) {
	if _, err := newV1Server(config); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  Handshake(),
		VersionedPlugins: pluginsOf(config, Limits{}),
		Logger: hclog.New(&hclog.LoggerOptions{
			Level: hclog.Info, Output: os.Stderr, JSONFormat: true,
		}),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, config.messageSizes()...)...)
		},
	})
}

// messageSizes are what a plugin takes and sends: what it asks for.
func (c ServeConfig) messageSizes() []grpc.ServerOption {
	size := int(c.Limits.most(Limits{}).MessageBytes)
	if c.Documents != nil {
		return []grpc.ServerOption{grpc.MaxRecvMsgSize(size), grpc.MaxSendMsgSize(max(size, maxDescribed))}
	}
	return []grpc.ServerOption{grpc.MaxRecvMsgSize(size), grpc.MaxSendMsgSize(size)}
}

// InProcess serves providers over real gRPC inside this process, for tests of
// providers and of hosts. Call stop when done; it ends running operations.
func InProcess(providers ...provider.Provider) (client *Client, stop func(), err error) {
	return InProcessWith(ServeConfig{Providers: providers}, Limits{})
}

// InProcessWith is InProcess for a plugin that asks something of the hub, and a host that
// grants at most the limits given.
func InProcessWith(config ServeConfig, most Limits) (client *Client, stop func(), err error) {
	server, err := newV1Server(config)
	if err != nil {
		return nil, nil, err
	}
	listener := bufconn.Listen(1 << 16)
	s := grpc.NewServer(config.messageSizes()...)
	providerv1.RegisterProviderServiceServer(s, server)
	go func() { _ = s.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///in-process",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
	)
	if err != nil {
		s.Stop()
		return nil, nil, err
	}
	return newV1Client(conn, most), func() {
		_ = conn.Close()
		s.Stop()
	}, nil
}
