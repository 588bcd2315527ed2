package providerplugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
	"github.com/evergrant/evergrant/sdk/provider"
)

// v1Client implements protocol version 1 for the hub.
type v1Client struct {
	rpc providerv1.ProviderServiceClient
	// most is what the host grants at the most, granted what operations have: nil, before
	// the plugin has described itself, is the contract's own.
	most    Limits
	granted *atomic.Pointer[Limits]
}

func newV1Client(conn grpc.ClientConnInterface, most Limits) *Client {
	return &Client{v1: v1Client{rpc: providerv1.NewProviderServiceClient(conn), most: most, granted: &atomic.Pointer[Limits]{}}}
}

// limits are those of an operation that begins now.
func (c v1Client) limits() Limits {
	if granted := c.granted.Load(); granted != nil {
		return *granted
	}
	return Limits{}.Filled()
}

func (c v1Client) describe(ctx context.Context) (*PluginInfo, error) {
	reply, err := c.rpc.Describe(ctx, &providerv1.DescribeRequest{Contract: Contract, Features: features, Limits: c.most.most(Limits{}).wire()}, grpc.MaxCallRecvMsgSize(maxDescribed))
	if err != nil {
		return nil, v1ErrorFrom(err)
	}
	info := &PluginInfo{
		Version: clean(reply.GetVersion(), 100), Requirements: v1Requirements(reply), Deprecated: deprecatedFields(reply.ProtoReflect()),
		Documents: slices.Contains(reply.GetProvides(), FeatureDocuments),
	}
	if err := info.Requirements.Fit(c.most); err != nil {
		return nil, err // before descriptions, which may need what is missing
	}
	c.granted.Store(&info.Requirements.Limits)
	for _, w := range reply.GetDescriptions() {
		d, err := v1DescriptionFrom(w)
		if err != nil {
			return nil, &PluginError{Message: "the plugin's description cannot be used: " + err.Error()}
		}
		info.Descriptions = append(info.Descriptions, *d)
	}
	if len(info.Descriptions) == 0 {
		return nil, &PluginError{Message: "the plugin serves no provider"}
	}
	return info, nil
}

// operate runs one operation. It returns as soon as ctx ends, whatever the
// plugin does.
func (c v1Client) operate(ctx context.Context, relay Relay, name string, call provider.Call, start *providerv1.Start) (*providerv1.Result, error) {
	service, err := v1Service(call.Service)
	if err != nil {
		return nil, err
	}
	limits := c.limits()
	start.Provider, start.Service, start.Now, start.Limits = name, service, timestamppb.New(call.Now), limits.wire()
	if start.Connection, err = v1Connection(call.Connection); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream on every way out
	size := int(limits.MessageBytes)
	stream, err := c.rpc.Operate(ctx, grpc.MaxCallRecvMsgSize(size), grpc.MaxCallSendMsgSize(size))
	if err != nil {
		return nil, v1ErrorFrom(err)
	}
	first := &providerv1.OperateRequest{Message: &providerv1.OperateRequest_Start{Start: start}}
	if err := stream.Send(first); err != nil && !errors.Is(err, io.EOF) { // EOF: Recv has the reason
		return nil, v1ErrorFrom(err)
	}
	for step := 0; ; {
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, &PluginError{Message: "the plugin ended the operation without a result"}
		}
		if err != nil {
			return nil, v1ErrorFrom(err)
		}
		if result := msg.GetResult(); result != nil {
			return result, nil
		}
		reply, err := v1Step(ctx, relay, step, msg, limits)
		if err != nil {
			return nil, err
		}
		step++
		if err := stream.Send(reply); err != nil && !errors.Is(err, io.EOF) {
			return nil, v1ErrorFrom(err)
		}
	}
}

// v1Step validates a request of a plugin and passes it to the relay.
func v1Step(ctx context.Context, relay Relay, step int, msg *providerv1.OperateResponse, limits Limits) (*providerv1.OperateRequest, error) {
	var asked uint32
	relayed := v1RoundTrip
	switch m := msg.GetMessage().(type) {
	case *providerv1.OperateResponse_HttpRequest:
		asked = m.HttpRequest.GetStep()
	case *providerv1.OperateResponse_SignRequest:
		asked, relayed = m.SignRequest.GetStep(), v1Sign
	default:
		return nil, &PluginError{Message: "the plugin sent a message that this hub does not know"}
	}
	switch {
	case int(asked) != step:
		return nil, &PluginError{Message: fmt.Sprintf("the plugin sent step %d, expected %d", asked, step)}
	case step >= limits.Steps:
		return nil, &PluginError{Message: fmt.Sprintf("the plugin asked for more than %d requests in one operation", limits.Steps)}
	}
	return relayed(ctx, relay, step, msg, limits)
}

func v1RoundTrip(ctx context.Context, relay Relay, step int, msg *providerv1.OperateResponse, limits Limits) (*providerv1.OperateRequest, error) {
	w := msg.GetHttpRequest()
	if int64(len(w.GetBody())) > limits.BodyBytes {
		return nil, &PluginError{Message: fmt.Sprintf("the plugin sent a body of %d KiB, granted are %d", len(w.GetBody())>>10, limits.BodyBytes>>10)}
	}
	reply := &providerv1.HttpResponse{Step: w.GetStep()}
	response, err := relay.RoundTrip(ctx, step, &HTTPRequest{
		Method: w.GetMethod(), URL: w.GetUrl(), Header: headersFromWire(w.GetHeaders()), Body: w.GetBody(), MaxReply: limits.BodyBytes,
		ClientCertificate: w.GetClientCertificate(), DPoPKey: w.GetDpopKey(),
	})
	if err == nil {
		err = limits.fitReply(response)
	}
	if failure, ok := errors.AsType[*RelayError](err); ok {
		reply.Failure = &providerv1.HttpFailure{Written: failure.Written, Refused: failure.Refused, Message: clean(failure.Message, 500)}
	} else if err != nil {
		return nil, err
	} else {
		reply.Status, reply.Headers, reply.Body = int32(response.Status), headersToWire(response.Header), response.Body
	}
	return &providerv1.OperateRequest{Message: &providerv1.OperateRequest_HttpResponse{HttpResponse: reply}}, nil
}

func v1Sign(ctx context.Context, relay Relay, step int, msg *providerv1.OperateResponse, _ Limits) (*providerv1.OperateRequest, error) {
	w := msg.GetSignRequest()
	reply := &providerv1.SignResponse{Step: w.GetStep()}
	jwt, err := relay.Sign(ctx, step, &SignRequest{
		Key: clean(w.GetKey(), 100), Claims: w.GetClaimsJson(), Lifetime: w.GetLifetime().AsDuration(), Type: clean(w.GetType(), 100),
	})
	if failure, ok := errors.AsType[*RelayError](err); ok {
		reply.Failure = clean(cmp.Or(failure.Message, "the hub did not sign"), 500)
	} else if err != nil {
		return nil, err
	}
	reply.Jwt = jwt
	return &providerv1.OperateRequest{Message: &providerv1.OperateRequest_SignResponse{SignResponse: reply}}, nil
}
