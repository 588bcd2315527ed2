package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// client calls the hub API with a key that may do everything.
type client struct{ key string }

// transport keeps enough idle connections for all callers.
var transport = &http.Transport{MaxIdleConnsPerHost: 128, IdleConnTimeout: 30 * time.Second}

// statusError is an answer that is no success.
type statusError struct {
	status int
	body   string
}

// Error implements error.
func (e *statusError) Error() string {
	return fmt.Sprintf("the hub answered %d: %.300s", e.status, e.body)
}

// do sends a request and decodes the answer into out, unless that is nil.
func (c client) do(ctx context.Context, method, address string, body, out any) error {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, payload)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.key)
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return &statusError{resp.StatusCode, string(data)}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// view is what is read of a connection.
type view struct {
	Status     string `json:"status"`
	Generation int64  `json:"generation"`
	LastError  *struct {
		Kind    string `json:"kind"`
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"last_error"`
}

func (v view) uncertain() bool { return v.LastError != nil && v.LastError.Code == "uncertain" }

// String is for problems.
func (v view) String() string {
	s := fmt.Sprintf("%s, generation %d", v.Status, v.Generation)
	if v.LastError != nil {
		s += fmt.Sprintf(", %s %s: %s", v.LastError.Kind, v.LastError.Code, v.LastError.Message)
	}
	return s
}

func (c client) view(ctx context.Context, hub, connection string) (view, error) {
	var v view
	err := c.do(ctx, http.MethodGet, hub+"/api/v1/connections/"+connection, nil, &v)
	return v, err
}

// renew asks for a renewal and returns how the connection then stands.
func (c client) renew(ctx context.Context, hub, connection string) (view, error) {
	var v view
	err := c.do(ctx, http.MethodPost, hub+"/api/v1/connections/"+connection+"/renew", nil, &v)
	return v, err
}

// pulled is what a process gets.
type pulled struct {
	AccessToken string    `json:"access_token"`
	ExpiresAt   time.Time `json:"expires_at"`
	Generation  int64     `json:"generation"`
	// asked is when the request was about to be sent.
	asked time.Time
}

func (c client) pull(ctx context.Context, hub, connection string) (pulled, error) {
	p := pulled{asked: time.Now()}
	err := c.do(ctx, http.MethodGet, hub+"/api/v1/connections/"+connection+"/token", nil, &p)
	return p, err
}

// pace is how often the hub is asked for something that it tells nobody.
const pace = 20 * time.Millisecond

// await asks for a connection until enough says so, or ctx ends.
func (c client) await(ctx context.Context, hub, connection string, enough func(view) bool) (view, error) {
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	var last view
	for {
		v, err := c.view(ctx, hub, connection)
		if err == nil {
			last = v
			if enough(v) {
				return v, nil
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return last, fmt.Errorf("%s stays %s: %w", connection, last, ctx.Err())
		}
	}
}
