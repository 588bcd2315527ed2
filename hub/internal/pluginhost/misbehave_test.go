package pluginhost

import (
	"bufio"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// actMute introduces itself well, accepts connections and says nothing.
func actMute() {
	address := filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "plugin1")
	listener, err := net.Listen("unix", address)
	if err != nil {
		panic(err)
	}
	_, _ = stdout.WriteString("1|1|unix|" + address + "|grpc|" + someCertificate + "\n")
	for {
		if _, err := listener.Accept(); err != nil {
			panic(err)
		}
	}
}

// replaceCertificate has the handshake name another certificate than is served.
func replaceCertificate() {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	os.Stdout = w
	go func() {
		line, _ := bufio.NewReader(r).ReadString('\n')
		fields := strings.Split(strings.TrimSpace(line), "|")
		fields[5] = someCertificate
		_, _ = stdout.WriteString(strings.Join(fields, "|") + "\n")
	}()
}

// misbehaving are answers to go-plugin's own calls, by mode.
var misbehaving = map[string]grpc.UnaryServerInterceptor{
	"not-serving": func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		if strings.HasPrefix(info.FullMethod, "/grpc.health.v1.") {
			return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_NOT_SERVING}, nil
		}
		return next(ctx, req)
	},
	"no-health": func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		if strings.HasPrefix(info.FullMethod, "/grpc.health.v1.") {
			return nil, status.Error(codes.Unimplemented, "unknown service grpc.health.v1.Health")
		}
		return next(ctx, req)
	},
	"shutdown-hangs": func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		if strings.HasSuffix(info.FullMethod, "/Shutdown") {
			forever()
		}
		return next(ctx, req)
	},
}

func serveWith(mode string, intercept grpc.UnaryServerInterceptor) {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  providerplugin.Handshake(),
		VersionedPlugins: providerplugin.Plugins(testProvider{name: mode}),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, grpc.ChainUnaryInterceptor(intercept))...)
		},
	})
}

// freezing works until it is told to freeze; then no operation answers, while its
// health stays SERVING.
type freezing struct {
	testProvider
	frozen atomic.Bool
}

func (f *freezing) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	if f.frozen.Load() || req.Current.AccessToken == "freeze" {
		f.frozen.Store(true)
		forever()
	}
	return f.testProvider.Refresh(ctx, req)
}
