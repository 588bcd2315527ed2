package providerplugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
	"github.com/evergrant/evergrant/sdk/provider"
)

// operateStream is the plugin's end of an operation.
type operateStream interface {
	Send(*providerv1.OperateResponse) error
	Recv() (*providerv1.OperateRequest, error)
}

// transport is the http.RoundTripper and the provider.Signer that a provider is handed. It
// sends each request up the operation's stream and waits for the reply. Steps go one after
// the other, so that they have a fixed order when an operation is re-run.
type transport struct {
	stream operateStream
	limits Limits

	mu   sync.Mutex
	step uint32
	dead error // set once a reply was abandoned: the stream is out of step
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := readBody(req, t.limits.BodyBytes)
	if err != nil {
		return nil, err
	}
	ctx := req.Context()
	answer, err := ask(ctx, t, func(step uint32) *providerv1.OperateResponse {
		return &providerv1.OperateResponse{Message: &providerv1.OperateResponse_HttpRequest{HttpRequest: &providerv1.HttpRequest{
			Step: step, Method: req.Method, Url: req.URL.String(), Headers: headersToWire(headersOf(req)), Body: body,
			ClientCertificate: provider.ClientCertificate(ctx), DpopKey: provider.DPoP(ctx),
		}}}
	}, (*providerv1.OperateRequest).GetHttpResponse)
	if err != nil {
		return nil, err
	}
	return responseOf(req, answer)
}

// Sign implements provider.Signer.
func (t *transport) Sign(ctx context.Context, req provider.SignRequest) (string, error) {
	claims, err := json.Marshal(req.Claims)
	if err != nil {
		return "", fmt.Errorf("the claims to sign: %w", err)
	}
	answer, err := ask(ctx, t, func(step uint32) *providerv1.OperateResponse {
		return &providerv1.OperateResponse{Message: &providerv1.OperateResponse_SignRequest{SignRequest: &providerv1.SignRequest{
			Step: step, Key: req.Key, ClaimsJson: claims, Lifetime: v1Duration(req.Lifetime), Type: req.Type,
		}}}
	}, (*providerv1.OperateRequest).GetSignResponse)
	if err != nil {
		return "", err
	}
	if failure := answer.GetFailure(); failure != "" {
		return "", provider.Errorf(provider.Blocked, CodeKey, "%s", failure)
	}
	return answer.GetJwt(), nil
}

// CodeKey is the code of an error about a key that the hub keeps: it is not there, or it
// cannot be used.
const CodeKey = "key_unusable"

// stepAnswer is the hub's answer to a step, a pointer to a message.
type stepAnswer[M any] interface {
	*M
	GetStep() uint32
}

// ask sends the message of the next step and waits for its answer. Steps go one after the
// other.
func ask[M any, A stepAnswer[M]](ctx context.Context, t *transport, message func(step uint32) *providerv1.OperateResponse, answerOf func(*providerv1.OperateRequest) A) (A, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dead != nil {
		return nil, t.dead
	}
	step := t.step
	if int(step) >= t.limits.Steps {
		t.dead = fmt.Errorf("the operation made %d requests, more are not granted; ask for them by ServeConfig.Limits", step)
		return nil, t.dead
	}
	t.step++
	if err := t.stream.Send(message(step)); err != nil {
		t.dead = fmt.Errorf("the hub went away before the request was sent: %w", err)
		return nil, t.dead
	}
	msg, err := t.await(ctx)
	if err != nil {
		t.dead = err
		return nil, err
	}
	answer := answerOf(msg)
	switch {
	case answer == nil:
		t.dead = errors.New("the hub sent something else than a reply")
	case answer.GetStep() != step:
		t.dead = fmt.Errorf("the hub answered step %d, expected %d", answer.GetStep(), step)
	}
	return answer, t.dead
}

// await waits for the hub's answer or the end of the request's context.
func (t *transport) await(ctx context.Context) (*providerv1.OperateRequest, error) {
	type received struct {
		msg *providerv1.OperateRequest
		err error
	}
	answer := make(chan received, 1)
	go func() {
		msg, err := t.stream.Recv()
		answer <- received{msg, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-answer:
		if got.err != nil {
			return nil, fmt.Errorf("the hub went away before the reply: %w", got.err)
		}
		return got.msg, nil
	}
}

func responseOf(req *http.Request, reply *providerv1.HttpResponse) (*http.Response, error) {
	if f := reply.GetFailure(); f != nil {
		return nil, &RelayError{Written: f.GetWritten(), Refused: f.GetRefused(), Message: f.GetMessage()}
	}
	status := int(reply.GetStatus())
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", status, http.StatusText(status)),
		StatusCode: status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        headersFromWire(reply.GetHeaders()),
		Body:          io.NopCloser(bytes.NewReader(reply.GetBody())),
		ContentLength: int64(len(reply.GetBody())),
		Request:       req,
	}, nil
}

func readBody(req *http.Request, most int64) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer func() { _ = req.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(req.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("read the request's body: %w", err)
	}
	if int64(len(body)) > most {
		return nil, fmt.Errorf("the request's body is larger than the %d bytes that are granted; ask for more by ServeConfig.Limits", most)
	}
	return body, nil
}

// headersOf adds what net/http's own transport would take from other fields.
func headersOf(req *http.Request) http.Header {
	h := req.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	if h.Get("Authorization") == "" && req.URL.User != nil {
		user := req.URL.User
		password, _ := user.Password()
		clone := http.Request{Header: h}
		clone.SetBasicAuth(user.Username(), password)
	}
	return h
}

func headersToWire(h http.Header) []*providerv1.Header {
	var wire []*providerv1.Header
	for name, values := range h {
		for _, v := range values {
			wire = append(wire, &providerv1.Header{Name: name, Value: v})
		}
	}
	return wire
}

func headersFromWire(wire []*providerv1.Header) http.Header {
	h := make(http.Header, len(wire))
	for _, w := range wire {
		h.Add(w.GetName(), w.GetValue())
	}
	return h
}
