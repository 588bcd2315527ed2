package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/keyring"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Problem is an error of the hub API (RFC 9457).
type Problem struct { //nolint:errname // the RFC's word
	Type   string `json:"type" example:"https://evergrant.dev/problems/reauthorization-required" doc:"Names the problem; stable"`
	Title  string `json:"title" doc:"The problem in a few words"`
	Status int    `json:"status" doc:"HTTP status"`
	Detail string `json:"detail,omitempty" doc:"What happened and what to do next"`
	// Kind says who has to act.
	Kind string `json:"kind,omitempty" enum:"internal,transient,blocked,reauthorization_required,denied" doc:"Who has to act: transient and internal pass by themselves, blocked needs the operator, reauthorization_required the person who granted"`
	// Code is the service's own error code.
	Code string `json:"code,omitempty" example:"invalid_grant" doc:"The service's own error code"`
	// ReauthorizeURL is the page where a person brings the grant back.
	ReauthorizeURL string `json:"reauthorize_url,omitempty" doc:"Where a person brings the grant back"`
	// RetryAfter repeats the header of that name, in seconds.
	RetryAfter int `json:"retry_after,omitempty" doc:"Seconds after which to ask again"`
	// Errors are the fields that are wrong.
	Errors []FieldProblem `json:"errors,omitempty"`
}

// FieldProblem is a field that cannot be used as it is.
type FieldProblem struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// mostLogged bounds an error in the log, in bytes: it may quote what a client sent.
const mostLogged = 1000

const problemBase = "https://evergrant.dev/problems/"

func problem(status int, slug, title, detail string) *Problem {
	return &Problem{Type: problemBase + slug, Title: title, Status: status, Detail: detail}
}

// fromHuma replaces huma.NewError: its details would quote the values that are
// wrong, and a value may be a secret.
func fromHuma(status int, message string, errs ...error) huma.StatusError {
	p := problem(status, "invalid-request", http.StatusText(status), message)
	for _, err := range errs {
		if detail, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			p.Errors = append(p.Errors, FieldProblem{Field: detail.Location, Message: detail.Message})
		}
	}
	return p
}

// fail turns any error into a problem. base is the hub's public address.
func (a *API) fail(err error) error {
	if refused, ok := errors.AsType[*tokensource.RefusedError](err); ok {
		return a.refusal(refused)
	}
	if invalid, ok := errors.AsType[*catalogue.InvalidError](err); ok {
		p := problem(http.StatusUnprocessableEntity, "invalid-fields", "Some fields cannot be used as they are", "See errors for what to enter instead.")
		for _, f := range invalid.Problems {
			p.Errors = append(p.Errors, FieldProblem{Field: f.Field, Message: f.Message.EN})
		}
		return p
	}
	if needs, ok := errors.AsType[*connection.NeedsError](err); ok {
		return problem(http.StatusUnprocessableEntity, "invalid-fields", "These scopes cannot be taken", needs.Error())
	}
	if failure, ok := errors.AsType[*authflow.Failure](err); ok {
		p := problem(http.StatusUnprocessableEntity, "authorization-failed", "The authorization did not come to a grant", failure.Error()+" (reference "+failure.Reference+")")
		if failure.Cause != nil {
			p.Kind, p.Code = failure.Cause.Kind.String(), failure.Cause.Code
		}
		return p
	}
	if refused, ok := errors.AsType[*installer.RefusedError](err); ok {
		return pluginProblem(refused)
	}
	if p, ok := definitionProblem(err); ok {
		return p
	}
	if refused, ok := errors.AsType[*catalogue.RestoreRefusedError](err); ok {
		return problem(http.StatusConflict, "cannot-restore", "The token set cannot be put back", refused.Error()+".")
	}
	if cause, ok := errors.AsType[*provider.Error](err); ok {
		return providerProblem(cause)
	}
	if invalid, ok := errors.AsType[*keyring.InvalidError](err); ok {
		return problem(http.StatusUnprocessableEntity, "invalid-key", "The key cannot be taken", invalid.Error()+".")
	}
	if missing, ok := errors.AsType[*keyring.MissingError](err); ok {
		return problem(http.StatusNotFound, "no-such-key", "No such key", missing.Error()+".")
	}
	if detached, ok := errors.AsType[*store.DetachedError](err); ok {
		return problem(http.StatusConflict, "detached", "This hub works on a detached copy", detached.Error())
	}
	switch {
	case errors.Is(err, errTooManyStreams):
		return tooManyStreams()
	case errors.Is(err, store.ErrNotFound):
		return problem(http.StatusNotFound, "not-found", "Not found", "There is nothing of that name; GET the list to see what there is.")
	case errors.Is(err, authflow.ErrNoOffer):
		return problem(http.StatusConflict, "nothing-offered", "Nothing is kept aside", err.Error()+".")
	case errors.Is(err, store.ErrInUse):
		return problem(http.StatusConflict, "in-use", "In use", "Delete the service's connections first, those in the trash as well.")
	case errors.Is(err, store.ErrStale):
		return problem(http.StatusConflict, "changed-meanwhile", "Changed meanwhile", "Somebody else changed it at the same moment; try again.")
	case errors.Is(err, access.ErrNoKey), errors.Is(err, access.ErrBadKey):
		return withHeader(problem(http.StatusUnauthorized, "unauthorized", "No valid API key", err.Error()), "WWW-Authenticate", `Bearer realm="evergrant"`)
	case errors.Is(err, access.ErrForbidden), errors.Is(err, act.ErrNotAllowed):
		return problem(http.StatusForbidden, "forbidden", "Not allowed", err.Error()+"; its scopes and connections are set in the web hub.")
	case errors.Is(err, access.ErrNotForKey):
		return problem(http.StatusNotFound, "no-connection-for-key", "No such connection for this key", err.Error()+".")
	case errors.Is(err, access.ErrAddress):
		return problem(http.StatusForbidden, "address-not-allowed", "Not from this address", err.Error()+".")
	case errors.Is(err, access.ErrOutlives), errors.Is(err, access.ErrReaches):
		return problem(http.StatusUnprocessableEntity, "invalid-fields", "A key makes none that is worth more than itself",
			err.Error()+": leave expires_at and addresses away to have those of the key, or let an administrator make it in the web hub.")
	case errors.Is(err, access.ErrScope), errors.Is(err, access.ErrKeyTitle), errors.Is(err, access.ErrKeyExpiry), errors.Is(err, access.ErrKeyFrom):
		return problem(http.StatusUnprocessableEntity, "invalid-fields", "Some fields cannot be used as they are", err.Error())
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return retry(problem(http.StatusServiceUnavailable, "transient", "Not in time", "The renewal goes on; ask again."), time.Second)
	}
	text := err.Error()
	a.log.Error("request failed", "error", text[:min(len(text), mostLogged)])
	if store.Unavailable(err) {
		return retry(problem(http.StatusServiceUnavailable, "transient", "The hub's database cannot be reached for the moment", "Nothing was lost; ask again."), time.Second)
	}
	return problem(http.StatusInternalServerError, "internal", "Internal error", "The hub's log has the reason. Nothing was lost; ask again.")
}

// pluginProblem is an act on a plugin that is not carried out.
func pluginProblem(refused *installer.RefusedError) *Problem {
	status := http.StatusConflict
	if refused.Code == installer.CodePackage || refused.Code == installer.CodeFailed {
		status = http.StatusUnprocessableEntity
	}
	p := problem(status, strings.ReplaceAll(refused.Code, "_", "-"), "The plugin is not changed", refused.Message)
	if refused.With != "" {
		p.Detail += " (" + refused.With + ")"
	}
	return p
}

// refusal maps the kinds as the design says: 409 person, 502 operator, 503 wait.
func (a *API) refusal(e *tokensource.RefusedError) error {
	page := a.publicURL + "/connections/" + e.Connection.Name
	var p *Problem
	switch {
	case e.Detached:
		p = problem(http.StatusConflict, "detached", "This hub works on a detached copy", e.Message)
	case e.Paused:
		p = problem(http.StatusConflict, "paused", "The connection is paused", e.Message)
	case e.Kind == provider.ReauthorizationRequired || e.Kind == provider.Denied:
		p = problem(http.StatusConflict, "reauthorization-required", "A person has to authorize this connection", e.Message)
		p.ReauthorizeURL = page
	case e.Kind == provider.Blocked:
		p = problem(http.StatusBadGateway, "blocked", "The operator has to mend the service", e.Message)
	case e.TooSoon:
		p = problem(http.StatusTooManyRequests, "too-soon", "The token was renewed just now", e.Message)
	case e.InProgress:
		p = problem(http.StatusServiceUnavailable, "renewal-in-progress", "The token is being renewed", e.Message)
	case e.Kind == provider.Transient:
		p = problem(http.StatusServiceUnavailable, "transient", "The token cannot be renewed for the moment", e.Message)
	default:
		p = problem(http.StatusInternalServerError, "internal", "The token could not be renewed", e.Message)
	}
	p.Kind = e.Kind.String()
	if f := e.Connection.Trouble(); f != nil {
		p.Code = f.Code
	}
	if e.InProgress {
		p.Code = "renewal_in_progress"
	}
	if e.RetryAfter > 0 {
		return retry(p, e.RetryAfter)
	}
	return p
}

// providerProblem is the error of an operation that an administrator asked for.
func providerProblem(cause *provider.Error) error {
	status := http.StatusBadGateway
	if cause.Kind == provider.Transient {
		status = http.StatusServiceUnavailable
	}
	p := problem(status, "service-refused", "The service or its plugin refused", cause.Error())
	p.Kind, p.Code = cause.Kind.String(), cause.Code
	if cause.RetryAfter > 0 {
		return retry(p, cause.RetryAfter)
	}
	return p
}

func retry(p *Problem, after time.Duration) error {
	p.RetryAfter = max(1, int(math.Ceil(after.Seconds())))
	return withHeader(p, "Retry-After", strconv.Itoa(p.RetryAfter))
}

func withHeader(p *Problem, name, value string) error {
	return huma.ErrorWithHeaders(p, http.Header{name: {value}})
}

// parseTTL reads a duration ("90s", "5m") or a number of seconds, up to most.
func parseTTL(name, s string, otherwise, most time.Duration) (time.Duration, error) {
	if s == "" {
		return otherwise, nil
	}
	d, err := time.ParseDuration(s)
	if seconds, numErr := strconv.Atoi(s); numErr == nil {
		d, err = time.Duration(seconds)*time.Second, nil
	}
	if err != nil || d < 0 || d > most {
		return 0, problem(http.StatusUnprocessableEntity, "invalid-fields", name+" cannot be used as it is",
			fmt.Sprintf("Write %s as seconds or as a time such as 45s, at most %s.", name, mostText(most)))
	}
	return d, nil
}

// mostText writes a bound in the unit that it is whole in.
func mostText(d time.Duration) string {
	if d >= time.Hour {
		return strconv.Itoa(int(d/time.Hour)) + "h"
	}
	return strconv.Itoa(int(d/time.Second)) + "s"
}

// asProblem finds the problem in an error that fail made.
func asProblem(err error) (*Problem, bool) {
	return errors.AsType[*Problem](err)
}

// WriteProblem answers a request that reached no operation.
func WriteProblem(c *gin.Context, status int, title string) {
	c.Header("Cache-Control", "no-store")
	c.Header("Content-Type", "application/problem+json")
	c.JSON(status, problem(status, strings.ToLower(strings.ReplaceAll(http.StatusText(status), " ", "-")), title, ""))
}
