package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Each error of the layers below is a problem of one type and status, whatever wraps it.
func TestEachErrorIsOneProblem(t *testing.T) {
	var log strings.Builder
	a := &API{publicURL: "https://hub.example", log: hclog.New(&hclog.LoggerOptions{Output: &log})}
	refused := func(e tokensource.RefusedError) error {
		e.Connection.Name = "sales"
		return &e
	}
	for _, c := range []struct {
		err    error
		status int
		slug   string
		kind   string
		retry  int
	}{
		{err: store.ErrNotFound, status: 404, slug: "not-found"},
		{err: store.ErrInUse, status: 409, slug: "in-use"},
		{err: store.ErrStale, status: 409, slug: "changed-meanwhile"},
		{err: &store.DetachedError{}, status: 409, slug: "detached"},
		{err: authflow.ErrNoOffer, status: 409, slug: "nothing-offered"},
		{err: access.ErrNoKey, status: 401, slug: "unauthorized"},
		{err: access.ErrBadKey, status: 401, slug: "unauthorized"},
		{err: access.ErrForbidden, status: 403, slug: "forbidden"},
		{err: act.ErrNotAllowed, status: 403, slug: "forbidden"},
		{err: access.ErrAddress, status: 403, slug: "address-not-allowed"},
		{err: access.ErrNotForKey, status: 404, slug: "no-connection-for-key"},
		{err: access.ErrReaches, status: 422, slug: "invalid-fields"},
		{err: access.ErrKeyTitle, status: 422, slug: "invalid-fields"},
		{err: &catalogue.InvalidError{Problems: []catalogue.Problem{{Field: "name"}}}, status: 422, slug: "invalid-fields"},
		{err: &catalogue.RestoreRefusedError{Cause: connection.ErrRestoreGone}, status: 409, slug: "cannot-restore"},
		{err: &installer.RefusedError{Code: installer.CodePackage}, status: 422, slug: strings.ReplaceAll(installer.CodePackage, "_", "-")},
		{err: &installer.RefusedError{Code: "pinned_version"}, status: 409, slug: "pinned-version"},
		{err: provider.Errorf(provider.Blocked, "invalid_client", "no"), status: 502, slug: "service-refused", kind: "blocked"},
		{err: &provider.Error{Kind: provider.Transient, RetryAfter: 1500 * time.Millisecond}, status: 503, slug: "service-refused", kind: "transient", retry: 2},
		{err: refused(tokensource.RefusedError{Kind: provider.ReauthorizationRequired}), status: 409, slug: "reauthorization-required", kind: "reauthorization_required"},
		{err: refused(tokensource.RefusedError{Kind: provider.Denied}), status: 409, slug: "reauthorization-required", kind: "denied"},
		{err: refused(tokensource.RefusedError{Kind: provider.Blocked}), status: 502, slug: "blocked", kind: "blocked"},
		{err: refused(tokensource.RefusedError{Kind: provider.Transient, RetryAfter: time.Minute}), status: 503, slug: "transient", kind: "transient", retry: 60},
		{err: refused(tokensource.RefusedError{Kind: provider.Transient, InProgress: true, RetryAfter: time.Millisecond}), status: 503, slug: "renewal-in-progress", kind: "transient", retry: 1},
		{err: refused(tokensource.RefusedError{Kind: provider.Transient, TooSoon: true, RetryAfter: time.Second}), status: 429, slug: "too-soon", kind: "transient", retry: 1},
		{err: refused(tokensource.RefusedError{Kind: provider.Blocked, Paused: true}), status: 409, slug: "paused", kind: "blocked"},
		{err: refused(tokensource.RefusedError{Kind: provider.Blocked, Detached: true}), status: 409, slug: "detached", kind: "blocked"},
		{err: refused(tokensource.RefusedError{Kind: provider.Internal}), status: 500, slug: "internal", kind: "internal"},
		{err: context.DeadlineExceeded, status: 503, slug: "transient", retry: 1},
		{err: errors.New("the disk is full"), status: 500, slug: "internal"},
		{err: errTooManyStreams, status: 429, slug: "too-many-streams", retry: 1},
	} {
		err := a.fail(fmt.Errorf("read the connection: %w", c.err))
		p, ok := asProblem(err)
		if !ok {
			t.Errorf("%v: no problem but %v", c.err, err)
			continue
		}
		if p.Status != c.status || p.Type != problemBase+c.slug || p.Kind != c.kind || (c.retry > 0) != (p.RetryAfter > 0) || c.retry > 1 && p.RetryAfter != c.retry || p.Title == "" {
			t.Errorf("%v: %+v; want %d %s %q, again after %d s", c.err, *p, c.status, c.slug, c.kind, c.retry)
		}
		var headers huma.HeadersError
		if p.RetryAfter > 0 && (!errors.As(err, &headers) || headers.GetHeaders().Get("Retry-After") == "") {
			t.Errorf("%v: nothing says when to ask again", c.err)
		}
	}
	if !strings.Contains(log.String(), "the disk is full") || strings.Contains(log.String(), "invalid_client") {
		t.Errorf("logged is what has no meaning of its own, and that alone:\n%s", log.String())
	}
}

func TestAPersonIsLedToThePageOfTheConnection(t *testing.T) {
	a := &API{publicURL: "https://hub.example", log: hclog.NewNullLogger()}
	c := connection.Connection{Name: "sales", Failure: &connection.Failure{Code: "invalid_grant"}}
	p, _ := asProblem(a.fail(&tokensource.RefusedError{Connection: c, Kind: provider.ReauthorizationRequired, Message: "It has ended."}))
	if p == nil || p.ReauthorizeURL != "https://hub.example/connections/sales" || p.Detail != "It has ended." {
		t.Errorf("%+v", p)
	}
}

// What is wrong is told by its place: the value may be a secret in the wrong field.
func TestAnInvalidRequestIsToldWithoutItsValues(t *testing.T) {
	p, ok := fromHuma(http.StatusUnprocessableEntity, "validation failed", &huma.ErrorDetail{Location: "body.title", Message: "expected string", Value: "evg_secret"}).(*Problem)
	if !ok || len(p.Errors) != 1 || p.Errors[0] != (FieldProblem{"body.title", "expected string"}) || strings.Contains(fmt.Sprintf("%+v", p), "evg_secret") {
		t.Errorf("%+v", p)
	}
}

func TestTimesAreSecondsOrWritten(t *testing.T) {
	for text, want := range map[string]time.Duration{"": time.Minute, "0": 0, "90": 90 * time.Second, "90s": 90 * time.Second, "5m": 5 * time.Minute} {
		if got, err := parseTTL("min_ttl", text, time.Minute, time.Hour); got != want || err != nil {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"-1", "61m", "soon", "1h1s", "99999999999999999999"} {
		_, err := parseTTL("min_ttl", text, time.Minute, time.Hour)
		if p, ok := asProblem(err); !ok || p.Status != http.StatusUnprocessableEntity || !strings.Contains(p.Title, "min_ttl") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
