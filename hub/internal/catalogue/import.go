package catalogue

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// EventImported is the kind of event that Import writes.
const EventImported = "connection.imported"

// maxGrant bounds the text of one grant.
const maxGrant = 64 << 10

// Import is a connection with a grant that was obtained elsewhere.
type Import struct {
	// Service and Name are names, Title is for people; an empty name is made of it.
	Service, Name, Title string
	Tags                 []string
	// By is how the connection gets its tokens from now on, Options are its own, and
	// Fields what it logs in with or the key itself, as in NewConnection.
	By      provider.Grant
	Options map[string]any
	Fields  map[string]any
	// Grant is what is known of the tokens. Without an access token it needs a
	// refresh token, and the hub renews before anything is handed out.
	Grant provider.Token
	// Actor is who requested it, for the timeline.
	Actor string
}

// Import adds a connection with its grant, in one step: either it is there with the
// grant or not at all. What has no valid access token is due at once. Errors:
// *InvalidError; store.ErrNotFound for the service.
func (c *Catalogue) Import(ctx context.Context, in Import) (connection.Connection, error) {
	svc, err := c.store.Services.ServiceByName(ctx, in.Service)
	if err != nil {
		return connection.Connection{}, err
	}
	conn, err := newConnection(svc, NewConnection{Name: in.Name, Title: in.Title, Grant: in.By, Options: in.Options})
	if err != nil {
		return conn, err
	}
	if in.Grant.AccessToken == "" && conn.Policy.AutoRenew != provider.AutoRenewRefreshToken && !conn.Grant.Reissues() {
		invalid := &InvalidError{}
		invalid.add("grant", "This service does not renew access by a refresh token, so a refresh token alone is of no use; give the access token and when it expires.",
			"Этот сервис не продлевает доступ по refresh-токену, и одного refresh-токена мало: укажите токен доступа и срок его действия.")
		return conn, invalid
	}
	now := time.Now()
	var fields provider.Fields
	if len(in.Fields) > 0 || conn.Grant == provider.GrantLogin { // a login is of no use without
		if fields, err = CheckFields(svc, conn.Grant, in.Fields); err != nil {
			return conn, err
		}
	}
	conn = conn.Obtained(now, now, in.Grant, provider.Account{}, svc.Scopes, fields, time.Time{})
	if err := c.store.Grants.CreateConnection(ctx, conn); err != nil {
		if errors.Is(err, store.ErrNameTaken) {
			return conn, taken()
		}
		return conn, err
	}
	c.log.Info("connection imported", "connection", conn.Name, "service", svc.Name, "actor", in.Actor)
	if len(in.Tags) > 0 {
		if err := c.store.Grants.SetTags(ctx, conn.ID, in.Tags); err != nil {
			return conn, err
		}
	}
	return conn, c.store.Grants.AddEvent(ctx, grantdb.Event{
		ConnectionID: conn.ID, ServiceID: conn.ServiceID, Kind: EventImported, Actor: in.Actor, At: now, Detail: "a grant obtained elsewhere was imported",
	})
}

// ParseGrant reads a grant that a person pastes: access codes («Коды доступа»), the reply
// of a token endpoint (RFC 6749 section 5.1), or a refresh token alone. A lifetime in
// seconds counts from an unknown moment, so it is not used: an access token is kept only
// if the text has its expiry time. Errors: *InvalidError for the field "grant"; it quotes
// nothing.
func ParseGrant(text string, now time.Time) (provider.Token, error) {
	invalid := &InvalidError{}
	text = strings.TrimSpace(text)
	switch {
	case text == "" || len(text) > maxGrant:
		invalid.add("grant", "Paste access codes as JSON, or a refresh token.", "Вставьте коды доступа в JSON или refresh-токен.")
		return provider.Token{}, invalid
	case !strings.HasPrefix(text, "{"):
		if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == '"' }) {
			invalid.add("grant", "This is neither JSON nor a refresh token: it has spaces or quotes inside.", "Это не JSON и не refresh-токен: внутри пробелы или кавычки.")
			return provider.Token{}, invalid
		}
		return deadOnArrival(provider.Token{RefreshToken: text}), nil
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		invalid.add("grant", "This JSON cannot be read; copy it whole, from { to }.", "Этот JSON не читается; скопируйте его целиком, от { до }.")
		return provider.Token{}, invalid
	}
	token := provider.Token{
		AccessToken: textOf(fields, "accessToken", "access_token"), RefreshToken: textOf(fields, "refreshToken", "refresh_token"),
		TokenType: textOf(fields, "authMethod", "token_type"), IDToken: textOf(fields, "id_token"),
		Scopes: strings.Fields(textOf(fields, "scope")),
	}
	if len(token.Scopes) == 0 {
		token.Scopes = nil
	}
	if token.AccessToken == "" && token.RefreshToken == "" {
		invalid.add("grant", `There is no token in it: "accessToken" or "refreshToken" is missing.`, "В нём нет токена: не хватает «accessToken» или «refreshToken».")
		return provider.Token{}, invalid
	}
	ends, said := momentOf(fields, "expires", "expires_at")
	for _, known := range []string{"serviceId", "clientId", "client_id", "expiresIn", "expires_in"} {
		delete(fields, known)
	}
	if len(fields) > 0 {
		token.Extra = fields
	}
	if said && ends.After(now) && token.AccessToken != "" {
		token.ExpiresIn = new(ends.Sub(now))
		return token, nil
	}
	if token.RefreshToken == "" {
		invalid.add("grant", `It has no refresh token, and does not say when the access token ends, or it has ended: "expires" (Unix time) must be in the future.`,
			"В нём нет refresh-токена и не сказано, когда кончится токен доступа, либо он уже кончился: «expires» (Unix-время) должно быть в будущем.")
		return provider.Token{}, invalid
	}
	return deadOnArrival(token), nil
}

// deadOnArrival keeps a token from being handed out before it is renewed.
func deadOnArrival(token provider.Token) provider.Token {
	token.AccessToken, token.ExpiresIn = "", new(time.Duration)
	return token
}

// textOf takes the first of some fields that is a text.
func textOf(fields map[string]any, names ...string) string {
	found := ""
	for _, name := range names {
		if s, ok := fields[name].(string); ok && found == "" {
			found = strings.TrimSpace(s)
		}
		delete(fields, name)
	}
	return found
}

// momentOf takes the first of some fields that is a time: Unix milliseconds or
// seconds, as a number or text, or RFC 3339.
func momentOf(fields map[string]any, names ...string) (at time.Time, ok bool) {
	for _, name := range names {
		switch v := fields[name].(type) {
		case float64:
			at, ok = unixTime(int64(v)), true
		case string:
			at, ok = parseMoment(v)
		}
		delete(fields, name)
		if ok {
			return at, true
		}
	}
	return at, false
}

func parseMoment(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return unixTime(n), true
	}
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

// unixTime takes seconds up to the year 5138 and milliseconds from 1973 on.
func unixTime(n int64) time.Time {
	if n < 100_000_000_000 {
		return time.Unix(n, 0)
	}
	return time.UnixMilli(n)
}

// splitTags reads tags separated by commas or semicolons.
func splitTags(text string) []string {
	var tags []string
	for tag := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' }) {
		if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}
