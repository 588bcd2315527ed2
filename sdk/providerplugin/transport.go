package providerplugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
)

// operateStream is the plugin's end of an operation.
type operateStream interface {
	Send(*providerv1.OperateResponse) error
	Recv() (*providerv1.OperateRequest, error)
}

// transport is the http.RoundTripper that a provider is handed. It sends each
// request up the operation's stream and waits for the reply. Requests go one
// after the other, so that steps have a fixed order when an operation is re-run.
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
	err = t.stream.Send(&providerv1.OperateResponse{Message: &providerv1.OperateResponse_HttpRequest{
		HttpRequest: &providerv1.HttpRequest{
			Step: step, Method: req.Method, Url: req.URL.String(), Headers: headersToWire(headersOf(req)), Body: body,
		},
	}})
	if err != nil {
		t.dead = fmt.Errorf("the hub went away before the request was sent: %w", err)
		return nil, t.dead
	}
	reply, err := t.await(req.Context())
	if err != nil {
		t.dead = err
		return nil, err
	}
	if reply.GetStep() != step {
		t.dead = fmt.Errorf("the hub answered step %d, expected %d", reply.GetStep(), step)
		return nil, t.dead
	}
	return responseOf(req, reply)
}

// await waits for the hub's answer or the end of the request's context.
func (t *transport) await(ctx context.Context) (*providerv1.HttpResponse, error) {
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
		if got.msg.GetHttpResponse() == nil {
			return nil, errors.New("the hub sent something else than a reply")
		}
		return got.msg.GetHttpResponse(), nil
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
