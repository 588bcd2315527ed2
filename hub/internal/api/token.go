package api

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
)

// TokenInput is a pull.
type TokenInput struct {
	Authorization string `header:"Authorization" hidden:"true"`
	Name          string `path:"name" doc:"The connection's name"`
	MinTTL        string `query:"min_ttl" doc:"Least life that the token must have left: a duration (60s, 5m) or seconds" default:"60s" example:"60s"`
	IfNoneMatch   string `header:"If-None-Match" doc:"The ETag of the generation that the process has; 304 if it is still in force and lives long enough"`
	Wait          string `query:"wait" doc:"How long the process waits for a renewal that its token needs (10s by default), and with If-None-Match for the next generation before 304; a duration or seconds, at most 50s" example:"30s"`
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
	Missing   []string   `json:"missing_scopes,omitempty" doc:"Scopes that were requested, or reported as missing, and that the grant does not have; absent when there are none"`
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
			"409: a person has to authorize again. 422: min_ttl or wait cannot be read. 429: too many long polls are open. 500: the service's answer has no known meaning, or the hub failed. " +
			"502: the operator has to mend the service. 503: ask again after Retry-After; " +
			"with the type renewal-in-progress the service has not answered yet, and a later pull joins the same renewal.",
		Errors: []int{401, 403, 404, 409, 422, 429, 500, 502, 503},
	}, a.token)
	a.registerRejected()
	a.registerScopes()
}

// longestPoll bounds how long a pull waits: proxies cut longer silences.
const longestPoll = 50 * time.Second

// longestTTL bounds min_ttl.
const longestTTL = 30 * 24 * time.Hour

// maxWait is how long a pull waits for a renewal that its token needs.
func maxWait(said string, wait time.Duration) time.Duration {
	if said == "" {
		return tokensource.UsualWait
	}
	return wait
}

func (a *API) token(ctx context.Context, in *TokenInput) (*TokenOutput, error) {
	minTTL, badTTL := parseTTL("min_ttl", in.MinTTL, a.minTTL, longestTTL)
	wait, badWait := parseTTL("wait", in.Wait, 0, longestPoll)
	if invalid := cmp.Or(badTTL, badWait); invalid != nil {
		if _, err := a.allowed(ctx, in.Authorization, in.Name); err != nil { // an invalid key is reported before an invalid parameter
			return a.handOut(nil, "", err)
		}
		return nil, invalid
	}
	pulled, err := a.pull(ctx, in.Authorization, in.Name, minTTL, maxWait(in.Wait, wait))
	if err == nil && wait > 0 && in.IfNoneMatch == etagOf(pulled) {
		pulled, err = a.next(ctx, in, pulled, minTTL, wait)
	}
	return a.handOut(pulled, in.IfNoneMatch, err)
}

func etagOf(pulled *tokensource.Pulled) string {
	return strconv.Quote(strconv.FormatInt(pulled.Connection.Generation, 10))
}

func (a *API) tokenOutput(pulled *tokensource.Pulled, ifNoneMatch string) *TokenOutput {
	out := &TokenOutput{Status: http.StatusOK, ETag: etagOf(pulled), CacheControl: "no-store"}
	if ifNoneMatch == out.ETag {
		out.Status = http.StatusNotModified
		return out
	}
	out.Body = tokenBody(pulled, a.now())
	return out
}

// next waits for the generation after the one that the process has, or for a
// change that leaves it without a token. A waiter asks nothing of the database
// until the connection changes or its token has too little life left.
func (a *API) next(ctx context.Context, in *TokenInput, has *tokensource.Pulled, minTTL, wait time.Duration) (*tokensource.Pulled, error) {
	leave, err := a.hold(in.Authorization)
	if err != nil {
		return nil, err
	}
	defer leave()
	end := time.NewTimer(wait)
	defer end.Stop()
	for {
		changed, forget := a.changes.Next(has.Connection.ID)
		pulled, err := a.pull(ctx, in.Authorization, in.Name, minTTL, wait)
		if err != nil || etagOf(pulled) != in.IfNoneMatch {
			forget()
			return pulled, err
		}
		old := time.NewTimer(pulled.Connection.LongEnoughFor(a.now(), minTTL, wait))
		select {
		case <-changed:
		case <-old.C:
		case <-end.C:
			old.Stop()
			forget()
			return pulled, nil
		case <-ctx.Done():
			old.Stop()
			forget()
			return nil, ctx.Err()
		}
		old.Stop()
		forget()
	}
}

// pull checks the key and the connection by one read, then serves the token. It waits
// for a renewal as long as wait says.
func (a *API) pull(ctx context.Context, authorization, name string, minTTL, wait time.Duration) (*tokensource.Pulled, error) {
	row, err := a.allowed(ctx, authorization, name)
	if err != nil {
		return nil, err
	}
	// Before the token is chosen: a database that is slow to note this would have
	// it handed out when it has expired.
	a.source.TouchPulled(ctx, row.ConnectionID)
	version := tokensource.Version{Generation: row.Generation, UpdatedAt: row.UpdatedAt, BegunAt: row.BegunAt}
	pulled, err := a.source.ServeVersion(ctx, row.ConnectionID, version, minTTL, wait)
	if err == nil {
		a.source.Used(ctx, pulled.Connection)
	}
	if err == nil && a.pulls != nil {
		a.pulls.Note(audit.Pull{KeyID: row.Key.ID, Connection: name, Address: audit.From(ctx).Address}, time.Now())
	}
	return pulled, err
}

// allowed looks up whether the key may pull the connection.
func (a *API) allowed(ctx context.Context, authorization, name string) (store.PullRow, error) {
	key, err := access.BearerToken(authorization)
	if err != nil {
		return store.PullRow{}, err
	}
	row, err := a.store.Pull(ctx, access.HashKey(key), name)
	if err != nil {
		return row, err
	}
	now := time.Now()
	if err := access.MayPull(row, audit.From(ctx).Address, now); err != nil {
		return row, err
	}
	a.touchKey(ctx, row.Key.ID, now)
	return row, nil
}

func tokenBody(pulled *tokensource.Pulled, now time.Time) *Token {
	t := pulled.Connection.Tokens
	body := &Token{
		AccessToken: t.AccessToken, TokenType: t.TokenType, Scope: strings.Join(t.Scopes, " "),
		Generation: pulled.Connection.Generation, Extra: t.Extra, Missing: pulled.Connection.MissingScopes(),
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
