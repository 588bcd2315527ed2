package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
)

// TokenInput is a pull.
type TokenInput struct {
	Authorization string `header:"Authorization" hidden:"true"`
	Name          string `path:"name" doc:"The connection's name"`
	MinTTL        string `query:"min_ttl" doc:"Least life that the token must have left: a duration (60s, 5m) or seconds" default:"60s" example:"60s"`
	IfNoneMatch   string `header:"If-None-Match" doc:"The ETag of the generation that the process has; 304 if it is still in force and lives long enough"`
}

// TokenOutput is the answer to a pull.
type TokenOutput struct {
	Status       int
	ETag         string `header:"ETag" doc:"The generation, quoted"`
	CacheControl string `header:"Cache-Control"`
	Body         *Token
}

// Token is a valid access token.
type Token struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type" example:"Bearer"`
	// ExpiresAt is absent if the service does not say when the token ends.
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"When the token ends; absent if the service does not say"`
	ExpiresIn *int64     `json:"expires_in,omitempty" doc:"Seconds left"`
	Scope     string     `json:"scope,omitempty" doc:"Granted scopes, separated by spaces"`
	// Generation numbers the token sets of a connection.
	Generation int64          `json:"generation" doc:"Number of the token set; grows with each renewal"`
	Extra      map[string]any `json:"extra,omitempty" doc:"The other fields of the service's reply"`
	// Trouble is present if renewal fails while this token is still valid.
	Trouble *Trouble `json:"trouble,omitempty" doc:"Present if renewal fails while this token is still valid"`
}

// Trouble is a renewal that fails.
type Trouble struct {
	Kind    string    `json:"kind"`
	Code    string    `json:"code,omitempty"`
	Message string    `json:"message"`
	Since   time.Time `json:"since"`
}

func (a *API) registerToken() {
	huma.Register(a.huma, huma.Operation{
		OperationID: "pull-token", Method: http.MethodGet, Path: "/api/v1/connections/{name}/token",
		Summary: "Pull a valid access token", Tags: []string{"Tokens"}, Security: bearer,
		Description: "Returns the access token of a connection, renewed if less than min_ttl is left of it. " +
			"409: a person has to authorise again. 502: the operator has to mend the service. 503: ask again after Retry-After.",
		Errors: []int{401, 403, 404, 409, 500, 502, 503},
	}, a.token)
}

func (a *API) token(ctx context.Context, in *TokenInput) (*TokenOutput, error) {
	minTTL, err := parseTTL(in.MinTTL, a.minTTL)
	if err != nil {
		return nil, err
	}
	pulled, err := a.pull(ctx, in.Authorization, in.Name, minTTL)
	if err != nil {
		return nil, a.fail(err)
	}
	etag := strconv.Quote(strconv.FormatInt(pulled.Connection.Generation, 10))
	out := &TokenOutput{Status: http.StatusOK, ETag: etag, CacheControl: "no-store"}
	if in.IfNoneMatch == etag {
		out.Status = http.StatusNotModified
		return out, nil
	}
	out.Body = tokenBody(pulled, time.Now())
	return out, nil
}

// pull checks the key and the connection by one read, then serves the token.
func (a *API) pull(ctx context.Context, authorization, name string, minTTL time.Duration) (*tokensource.Pulled, error) {
	key, err := access.BearerToken(authorization)
	if err != nil {
		return nil, err
	}
	row, err := a.store.Pull(ctx, access.HashKey(key), name)
	if err != nil {
		return nil, err
	}
	if err := mayPull(row, time.Now()); err != nil {
		return nil, err
	}
	version := tokensource.Version{Generation: row.Generation, UpdatedAt: row.UpdatedAt}
	pulled, err := a.source.ServeVersion(ctx, row.ConnectionID, version, minTTL)
	if err != nil {
		return nil, err
	}
	a.source.TouchPulled(ctx, row.ConnectionID)
	a.touchKey(ctx, row.Key.ID, time.Now())
	return pulled, nil
}

// mayPull checks the key of a pull. A key that may not pull a connection learns
// nothing of it, not even whether it is there; one that may pull all learns that
// a name is wrong.
func mayPull(row store.PullRow, now time.Time) error {
	key := store.APIKey{
		ID: row.Key.ID, Scopes: row.Key.Scopes, AllConnections: row.Key.AllConnections,
		ExpiresAt: fromMillis(row.Key.ExpiresAt), RevokedAt: fromMillis(row.Key.RevokedAt),
	}
	seesAll := access.MayAdminister(key) || (key.AllConnections && slices.Contains(key.Scopes, access.ScopeTokenRead))
	switch {
	case !row.KeyFound, access.Usable(key, now) != nil:
		return access.ErrBadKey
	case !row.ConnectionFound && seesAll:
		return store.ErrNotFound
	case seesAll, row.Allowed && slices.Contains(key.Scopes, access.ScopeTokenRead):
		return nil
	default:
		return access.ErrForbidden
	}
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func tokenBody(pulled *tokensource.Pulled, now time.Time) *Token {
	t := pulled.Connection.Tokens
	body := &Token{
		AccessToken: t.AccessToken, TokenType: t.TokenType, Scope: strings.Join(t.Scopes, " "),
		Generation: pulled.Connection.Generation, Extra: t.Extra,
	}
	if body.TokenType == "" {
		body.TokenType = "Bearer"
	}
	if !t.ExpiresAt.IsZero() {
		at := t.ExpiresAt.UTC()
		body.ExpiresAt, body.ExpiresIn = &at, new(int64(at.Sub(now)/time.Second))
	}
	if f := pulled.Trouble; f != nil {
		body.Trouble = &Trouble{Kind: f.Kind.String(), Code: f.Code, Message: f.Message, Since: f.Since.UTC()}
	}
	return body
}
