package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"
)

// hubClient calls the hub API with a key.
type hubClient struct {
	base string
	key  string
}

var hubHTTP = &http.Client{Timeout: time.Minute}

func (c *hubClient) get(ctx context.Context, at string, answer any) error {
	return c.call(ctx, http.MethodGet, at, nil, answer)
}

func (c *hubClient) post(ctx context.Context, at string, body, answer any) error {
	return c.call(ctx, http.MethodPost, at, body, answer)
}

// call sends a request; a problem document becomes an *apiError.
func (c *hubClient) call(ctx context.Context, method, at string, body, answer any) error {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(data)
	}
	return c.send(ctx, method, at, "application/json", payload, answer)
}

// send sends what payload holds; nil is nothing.
func (c *hubClient) send(ctx context.Context, method, at, contentType string, payload io.Reader, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.base, "/")+at, payload)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	if payload != nil {
		req.Header.Set("Content-Type", contentType)
	}
	reply, err := hubHTTP.Do(req)
	if err != nil {
		return fmt.Errorf("the hub at %s does not answer: %w", c.base, err)
	}
	defer func() { _ = reply.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(reply.Body, 4<<20))
	if err != nil {
		return fmt.Errorf("read the hub's answer: %w", err)
	}
	if reply.StatusCode >= http.StatusMultipleChoices {
		problem := &apiError{Status: reply.StatusCode}
		if json.Unmarshal(data, problem) != nil || problem.Title == "" {
			problem.Title = reply.Status
		}
		return problem
	}
	if answer == nil || len(data) == 0 {
		return nil
	}
	return json.Unmarshal(data, answer)
}

// apiError is a problem document of the hub.
type apiError struct {
	Type           string `json:"type"`
	Status         int    `json:"status"`
	Title          string `json:"title"`
	Detail         string `json:"detail"`
	ReauthorizeURL string `json:"reauthorize_url"`
	Errors         []struct {
		Field   string `json:"field"`
		Message string `json:"message"`
	} `json:"errors"`
}

// kind is the last part of the problem's type, "plugin-failed" for example.
func (e *apiError) kind() string { return path.Base(e.Type) }

// Error implements error.
func (e *apiError) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "the hub answered %d: %s", e.Status, e.Title)
	if e.Detail != "" {
		s.WriteString(". " + e.Detail)
	}
	for _, f := range e.Errors {
		fmt.Fprintf(&s, " [%s: %s]", f.Field, f.Message)
	}
	if e.ReauthorizeURL != "" {
		s.WriteString(" Authorize at " + e.ReauthorizeURL)
	}
	return s.String()
}
