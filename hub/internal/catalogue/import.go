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
	"github.com/evergrant/evergrant/hub/internal/service"
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
	// Ends is when a static key ends, as far as the person knows; zero if not.
	Ends time.Time
	// Grant is what is known of the tokens. Without an access token it needs a
	// refresh token, and the hub renews before anything is handed out. A login, client
	// credentials and an assertion need none.
	Grant provider.Token
	// Account is whose the grant is, where that is known.
	Account provider.Account
	// Held has the connection land paused, until it is decided whether it is taken up.
	Held bool
	// Placed is called in the transaction with the connection as it was added; optional.
	Placed func(ctx context.Context, c connection.Connection) error `json:"-"`
	// Actor is who requested it, for the timeline.
	Actor string
}

// Aged is an import a while after it was read: the life that is left is shorter, and a token
// without any is of no use.
func (in Import) Aged(by time.Duration) Import {
	if in.Grant.AccessToken == "" || in.Grant.ExpiresIn == nil {
		return in
	}
	if left := *in.Grant.ExpiresIn - by; left > 0 {
		in.Grant.ExpiresIn = &left
		return in
	}
	in.Grant = deadOnArrival(in.Grant)
	return in
}

// Import adds a connection with its grant, in one step: either it is there with the
// grant or not at all. What has no valid access token is due at once. A grant that was
// imported before and lies in the trash is put back with the tokens that it has got since:
// those of the import may be spent. It must be part of a transaction. Errors: *InvalidError;
// store.ErrNotFound for the service.
func (c *Catalogue) Import(ctx context.Context, in Import) (connection.Connection, error) {
	svc, err := c.store.Services.ServiceByName(ctx, in.Service)
	if err != nil {
		return connection.Connection{}, err
	}
	now := time.Now()
	conn, err := Incoming(svc, in, now)
	if err != nil {
		return conn, err
	}
	origin := originOf(svc, in)
	conn, put, err := c.putBackKept(ctx, conn, in, origin)
	if err != nil {
		return conn, err
	}
	if !put {
		if conn, err = c.create(ctx, conn, in, origin); err != nil {
			return conn, err
		}
	}
	c.log.Info("connection imported", "connection", conn.Name, "service", svc.Name, "actor", in.Actor)
	if len(in.Tags) > 0 {
		if err := c.store.Grants.SetTags(ctx, conn.ID, in.Tags); err != nil {
			return conn, err
		}
	}
	detail := "a grant obtained elsewhere was imported"
	if put {
		detail = "a grant that was imported before was taken out of the trash, with its newest tokens"
	}
	if err := c.store.Grants.AddEvent(ctx, grantdb.Event{ConnectionID: conn.ID, ServiceID: conn.ServiceID, Kind: EventImported, Actor: in.Actor, At: now, Detail: detail}); err != nil || in.Placed == nil {
		return conn, err
	}
	return conn, in.Placed(ctx, conn)
}

// create stores a connection that is new, and what it was imported from.
func (c *Catalogue) create(ctx context.Context, conn connection.Connection, in Import, origin string) (connection.Connection, error) {
	if in.Held {
		conn = conn.Paused(time.Now())
	}
	err := c.store.Grants.CreateConnection(ctx, conn)
	if errors.Is(err, store.ErrNameTaken) {
		return conn, taken()
	}
	if err != nil || origin == "" {
		return conn, err
	}
	return conn, c.store.Grants.NoteImported(ctx, conn, origin)
}

// Incoming is the connection that an import makes, before it is stored. Errors:
// *InvalidError.
func Incoming(svc service.Service, in Import, now time.Time) (connection.Connection, error) {
	conn, err := newConnection(svc, NewConnection{Name: in.Name, Title: in.Title, Grant: in.By, Options: in.Options})
	if err != nil {
		return conn, err
	}
	if err := checkTokens(conn, in); err != nil {
		return conn, err
	}
	var fields provider.Fields
	if len(in.Fields) > 0 || conn.Grant == provider.GrantLogin || conn.Grant == provider.GrantStatic && in.Grant.AccessToken == "" {
		if fields, err = CheckFields(svc, conn.Grant, in.Fields); err != nil {
			return conn, err
		}
	}
	return conn.Obtained(now, now, in.Grant, in.Account, svc.Scopes, fields, in.Ends), nil
}

// checkTokens checks that there is something to get tokens with.
func checkTokens(conn connection.Connection, in Import) error {
	invalid := &InvalidError{}
	switch {
	case in.Grant.AccessToken != "" || conn.Grant.Reissues() || conn.Grant == provider.GrantStatic:
	case in.Grant.RefreshToken == "":
		invalid.add("grant", "It has no token.", "Нет ни одного токена.")
	case conn.Policy.AutoRenew != provider.AutoRenewRefreshToken:
		invalid.add("grant", "This service does not renew access by a refresh token, so a refresh token alone is of no use; give the access token and when it expires.",
			"Этот сервис не продлевает доступ по refresh-токену, и одного refresh-токена мало: укажите токен доступа и срок его действия.")
	}
	if !in.Ends.IsZero() && !in.Ends.After(time.Now()) {
		invalid.add("ends_at", "This date is over; enter the one on which the key ends.", "Эта дата уже прошла; укажите дату, когда ключ перестанет действовать.")
	}
	return invalid.orNil()
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
