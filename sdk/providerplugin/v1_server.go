package providerplugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
	"github.com/evergrant/evergrant/sdk/provider"
)

// v1Server serves providers by protocol version 1.
type v1Server struct {
	providerv1.UnimplementedProviderServiceServer
	config ServeConfig
	// own are the providers that are not made of documents.
	own       []provider.Provider
	documents *Documents
	served    atomic.Pointer[v1Served]
	log       *slog.Logger
}

// v1Served is what is served now. It is not changed, but replaced.
type v1Served struct {
	providers    map[string]provider.Provider
	descriptions []*providerv1.Description
	requirements Requirements
}

func newV1Server(config ServeConfig) (*v1Server, error) {
	shipped, err := config.Documents.shipped()
	if err != nil {
		return nil, err
	}
	s := &v1Server{log: newLogger(os.Stderr), config: config, own: slices.Clip(config.Providers), documents: config.Documents}
	config.Providers = append(s.own, shipped...)
	served, err := v1Serving(config)
	if err != nil {
		return nil, err
	}
	s.served.Store(served)
	return s, nil
}

// v1Serving checks and describes the providers of a configuration.
func v1Serving(config ServeConfig) (*v1Served, error) {
	s := &v1Served{providers: make(map[string]provider.Provider, len(config.Providers))}
	all := make([]*provider.Description, 0, len(config.Providers))
	for _, p := range config.Providers {
		d, wire, err := descriptionOf(p)
		if err != nil {
			return nil, err
		}
		if _, twice := s.providers[d.Name]; twice {
			return nil, fmt.Errorf("providerplugin: two providers are named %q", d.Name)
		}
		s.providers[d.Name], all = p, append(all, d)
		s.descriptions = append(s.descriptions, wire)
	}
	s.requirements = config.requirements(all)
	return s, nil
}

// descriptionOf is a provider's valid description.
func descriptionOf(p provider.Provider) (*provider.Description, *providerv1.Description, error) {
	d, err := p.Describe(context.Background())
	if err != nil {
		return nil, nil, fmt.Errorf("providerplugin: a provider cannot describe itself: %w", err)
	}
	d.Grants = provider.GrantsOf(p)
	if err := d.Validate(); err != nil {
		return nil, nil, fmt.Errorf("providerplugin: %w", err)
	}
	wire, err := v1Description(d)
	if err != nil {
		return nil, nil, fmt.Errorf("providerplugin: description of %s: %w", d.Name, err)
	}
	return d, wire, nil
}

// Describe implements providerv1.ProviderServiceServer.
func (s *v1Server) Describe(context.Context, *providerv1.DescribeRequest) (*providerv1.DescribeResponse, error) {
	served := s.served.Load()
	reply := &providerv1.DescribeResponse{
		Version: Version(), Descriptions: served.descriptions, Needs: served.requirements.Needs,
		MinimumContract: uint32(served.requirements.MinimumContract), Limits: served.requirements.Limits.wire(),
	}
	if s.documents != nil {
		reply.Provides = []string{FeatureDocuments}
	}
	return reply, nil
}

// Operate implements providerv1.ProviderServiceServer.
func (s *v1Server) Operate(stream providerv1.ProviderService_OperateServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	start := first.GetStart()
	if start == nil {
		return status.Error(codes.InvalidArgument, "the first message must be start")
	}
	p, ok := s.served.Load().providers[start.GetProvider()]
	if !ok {
		return status.Errorf(codes.NotFound, "this plugin has no provider %q", start.GetProvider())
	}
	result, err := s.run(stream, p, start)
	if err != nil {
		return v1Status(err)
	}
	return stream.Send(&providerv1.OperateResponse{Message: &providerv1.OperateResponse_Result{Result: result}})
}

// run calls the provider. A panic does not end the process, because it may serve other
// operations, and the trace is logged. The status has no detail: it is not the provider's
// classification of an answer, so that the hub keeps the service's answer.
func (s *v1Server) run(stream providerv1.ProviderService_OperateServer, p provider.Provider, start *providerv1.Start) (result *providerv1.Result, err error) {
	ctx := logging(stream.Context(), s.log)
	defer func() {
		if r := recover(); r != nil {
			provider.Logger(ctx).Error("provider panicked", "provider", start.GetProvider(), "stack", string(debug.Stack()))
			result, err = nil, &panicError{provider: start.GetProvider()}
		}
	}()
	service, err := v1ServiceFrom(start.GetService())
	if err != nil {
		return nil, err
	}
	connection, err := v1ConnectionFrom(start.GetConnection())
	if err != nil {
		return nil, err
	}
	relay := &transport{stream: stream, limits: limitsFrom(start.GetLimits())}
	call := provider.Call{
		Service: service, Connection: connection, Keys: relay,
		Now: start.GetNow().AsTime(),
		HTTP: &http.Client{
			Transport:     relay,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	return v1Dispatch(ctx, p, start, call)
}

var errNotServed = errors.New("not served")

// panicError is the end of an operation in which the provider panicked.
type panicError struct{ provider string }

// Error implements error.
func (e *panicError) Error() string {
	return "the provider " + e.provider + " panicked; its plugin's log has the stack"
}

// grantOf is the grant of an operation, which a provider.Selective may leave out.
func grantOf(start *providerv1.Start) provider.Grant {
	switch start.GetOperation().(type) {
	case *providerv1.Start_PrepareService:
		return provider.GrantPrepareService
	case *providerv1.Start_AuthCodeUrl, *providerv1.Start_Exchange:
		return provider.GrantAuthorizationCode
	case *providerv1.Start_Refresh:
		return provider.GrantRefresh
	case *providerv1.Start_ClientCredentials:
		return provider.GrantClientCredentials
	case *providerv1.Start_Assertion:
		return provider.GrantAssertion
	case *providerv1.Start_Login:
		return provider.GrantLogin
	case *providerv1.Start_Static:
		return provider.GrantStatic
	case *providerv1.Start_DeviceAuthorization, *providerv1.Start_DeviceToken:
		return provider.GrantDevice
	case *providerv1.Start_Revoke:
		return provider.GrantRevoke
	case *providerv1.Start_Identify:
		return provider.GrantIdentify
	case *providerv1.Start_Introspect:
		return provider.GrantIntrospect
	}
	return ""
}

// v1Dispatch runs the operation that start names.
func v1Dispatch(ctx context.Context, p provider.Provider, start *providerv1.Start, call provider.Call) (*providerv1.Result, error) {
	if !slices.Contains(provider.GrantsOf(p), grantOf(start)) {
		return nil, errNotServed
	}
	switch op := start.GetOperation().(type) {
	case *providerv1.Start_PrepareService:
		if p, ok := p.(provider.ServicePreparer); ok {
			return v1PreparedResult(p.PrepareService(ctx, &provider.PrepareServiceRequest{Call: call}))
		}
	case *providerv1.Start_AuthCodeUrl:
		if p, ok := p.(provider.AuthorizationCodeGrant); ok {
			return v1AuthCodeURLResult(p.AuthCodeURL(ctx, v1AuthCodeURLRequest(call, op.AuthCodeUrl)))
		}
	case *providerv1.Start_Exchange:
		if p, ok := p.(provider.AuthorizationCodeGrant); ok {
			return v1TokenResult(p.Exchange(ctx, v1ExchangeRequest(call, op.Exchange)))
		}
	case *providerv1.Start_Refresh:
		if p, ok := p.(provider.Refresher); ok {
			return v1TokenResult(v1WithToken(op.Refresh.GetCurrent(), func(t provider.Token) (*provider.Token, error) {
				return p.Refresh(ctx, &provider.RefreshRequest{Call: call, Current: t, RedirectURI: op.Refresh.GetRedirectUri()})
			}))
		}
	case *providerv1.Start_ClientCredentials:
		if p, ok := p.(provider.ClientCredentialsGrant); ok {
			return v1TokenResult(p.ClientCredentials(ctx, &provider.ClientCredentialsRequest{Call: call}))
		}
	case *providerv1.Start_Assertion:
		if p, ok := p.(provider.AssertionGrant); ok {
			return v1TokenResult(p.Assertion(ctx, &provider.AssertionRequest{Call: call}))
		}
	case *providerv1.Start_Login:
		if p, ok := p.(provider.LoginGrant); ok {
			return v1TokenResult(v1WithFields(op.Login.GetFieldsJson(), func(f provider.Fields) (*provider.Token, error) {
				return p.Login(ctx, &provider.LoginRequest{Call: call, Fields: f})
			}))
		}
	case *providerv1.Start_Static:
		if p, ok := p.(provider.StaticGrant); ok {
			return v1TokenResult(v1WithFields(op.Static.GetFieldsJson(), func(f provider.Fields) (*provider.Token, error) {
				return p.Static(ctx, &provider.StaticRequest{Call: call, Fields: f})
			}))
		}
	case *providerv1.Start_Introspect:
		if p, ok := p.(provider.Introspector); ok {
			return v1IntrospectionResult(v1WithToken(op.Introspect.GetCurrent(), func(t provider.Token) (*provider.Introspection, error) {
				return p.Introspect(ctx, &provider.IntrospectRequest{Call: call, Current: t})
			}))
		}
	case *providerv1.Start_DeviceAuthorization:
		if p, ok := p.(provider.DeviceGrant); ok {
			return v1DeviceResult(p.DeviceAuthorization(ctx, &provider.DeviceAuthorizationRequest{Call: call}))
		}
	case *providerv1.Start_DeviceToken:
		if p, ok := p.(provider.DeviceGrant); ok {
			return v1TokenResult(p.DeviceToken(ctx, &provider.DeviceTokenRequest{Call: call, DeviceCode: op.DeviceToken.GetDeviceCode(), Data: op.DeviceToken.GetData()}))
		}
	case *providerv1.Start_Revoke:
		if p, ok := p.(provider.Revoker); ok {
			return v1WithToken(op.Revoke.GetCurrent(), func(t provider.Token) (*providerv1.Result, error) {
				err := p.Revoke(ctx, &provider.RevokeRequest{Call: call, Current: t})
				return &providerv1.Result{Result: &providerv1.Result_Revoked{Revoked: &providerv1.Revoked{}}}, err
			})
		}
	case *providerv1.Start_Identify:
		if p, ok := p.(provider.Identifier); ok {
			return v1AccountResult(v1WithToken(op.Identify.GetCurrent(), func(t provider.Token) (*provider.Account, error) {
				return p.Identify(ctx, &provider.IdentifyRequest{Call: call, Current: t})
			}))
		}
	}
	return nil, errNotServed
}
