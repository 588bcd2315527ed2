package providerplugin

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Serve is the whole main of a plugin. It returns when the hub is gone.
//
//	func main() { providerplugin.Serve(acme.Provider()) }
func Serve(providers ...provider.Provider) {
	if _, err := newV1Server(providers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  Handshake,
		VersionedPlugins: Plugins(providers...),
		Logger: hclog.New(&hclog.LoggerOptions{
			Level: hclog.Info, Output: os.Stderr, JSONFormat: true,
		}),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage))...)
		},
	})
}

// InProcess serves providers over real gRPC inside this process, for tests of
// providers and of hosts. Call stop when done; it ends running operations.
func InProcess(providers ...provider.Provider) (client *Client, stop func(), err error) {
	server, err := newV1Server(providers)
	if err != nil {
		return nil, nil, err
	}
	listener := bufconn.Listen(1 << 16)
	s := grpc.NewServer(grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage))
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
	return newV1Client(conn), func() {
		_ = conn.Close()
		s.Stop()
	}, nil
}
