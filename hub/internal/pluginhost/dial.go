package pluginhost

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/evergrant/evergrant/hub/internal/tracing"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// brokerMethod is go-plugin's stream by which a plugin may open more
// connections. The provider protocol has none, and a flood of offers on it would
// eat the hub's memory.
const brokerMethod = "/plugin.GRPCBroker/StartStream"

// maxSilences is how many operations in a row may go unanswered before the plugin's
// health is checked. After twice as many it is replaced, whatever its health status.
const maxSilences = 5

// watchdog limits how long a plugin may be silent in an operation while it is
// its turn to speak. It is safe for concurrent use.
type watchdog struct {
	limit time.Duration
	// lost is called in a goroutine of its own after maxSilences, and hopeless after
	// twice as many.
	lost, hopeless func()

	silences atomic.Int32
}

// dialOptions replace what go-plugin's defaults leave open.
func dialOptions(connect time.Duration, p *watchdog, traces trace.TracerProvider) []grpc.DialOption {
	options := []grpc.DialOption{
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 2, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: connect,
		}),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(providerplugin.MaxMessage),
			grpc.MaxCallSendMsgSize(providerplugin.MaxMessage),
		),
		grpc.WithDisableServiceConfig(), // no retries by a service config
		grpc.WithChainStreamInterceptor(p.intercept),
	}
	if traces != nil {
		options = append(options, grpc.WithStatsHandler(otelgrpc.NewClientHandler(
			otelgrpc.WithTracerProvider(traces), otelgrpc.WithPropagators(propagation.TraceContext{}), otelgrpc.WithMeterProvider(noop.NewMeterProvider()),
			// Health checks and go-plugin's own streams belong to no request.
			otelgrpc.WithFilter(func(info *stats.RPCTagInfo) bool { return strings.HasSuffix(info.FullMethodName, "/Operate") }),
		)))
	}
	return options
}

func (p *watchdog) intercept(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	switch {
	case method == brokerMethod:
		return nil, status.Error(codes.Unimplemented, "the provider protocol has no broker")
	case !desc.ClientStreams:
		return streamer(ctx, desc, cc, method, opts...) // go-plugin's standard output, silent by nature
	}
	if request := tracing.Request(ctx); request != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, providerplugin.RequestIDKey, request)
	}
	caller := ctx
	ctx, cancel := context.WithCancel(caller)
	stream, err := streamer(ctx, desc, cc, method, opts...)
	if err != nil {
		cancel()
		return nil, goneUnless(caller, err)
	}
	c, _ := ctx.Value(callKey{}).(*call) // a probe is none
	return &supervisedStream{ClientStream: stream, watchdog: p, caller: caller, cancel: cancel, call: c}, nil
}

// goneUnless distinguishes a connection that the host closed from a call that its caller
// cancelled; gRPC reports both as canceled.
func goneUnless(caller context.Context, err error) error {
	if status.Code(err) == codes.Canceled && caller.Err() == nil {
		return status.Error(codes.Unavailable, "the connection to the plugin was closed")
	}
	return err
}

// supervisedStream is an operation that ends when the plugin is silent too long.
type supervisedStream struct {
	grpc.ClientStream
	watchdog *watchdog
	caller   context.Context
	cancel   context.CancelFunc
	// call is what it belongs to; may be nil.
	call *call
}

// RecvMsg implements grpc.ClientStream.
func (s *supervisedStream) RecvMsg(m any) error {
	var silent atomic.Bool
	timer := time.AfterFunc(s.watchdog.limit, func() {
		silent.Store(true)
		s.cancel()
	})
	err := s.ClientStream.RecvMsg(m)
	timer.Stop()
	if err == nil {
		s.watchdog.silences.Store(0)
		return nil
	}
	s.cancel()
	if err = goneUnless(s.caller, err); silent.Load() {
		err = status.Error(codes.DeadlineExceeded, "the plugin did not answer in time")
		if s.call != nil {
			s.call.silent.Store(true)
		}
	}
	if status.Code(err) == codes.DeadlineExceeded {
		switch s.watchdog.silences.Add(1) {
		case maxSilences:
			go s.watchdog.lost()
		case 2 * maxSilences:
			go s.watchdog.hopeless()
		}
	}
	return err
}
