package grantdb

import (
	"encoding/json"
	"fmt"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/sdk/provider"
)

// ConnectionRow is a row of connections.
type ConnectionRow struct {
	ID              string `gorm:"primaryKey"`
	Name            string
	Title           string
	SearchText      string
	ServiceID       string
	GrantType       string
	Options         []byte
	Part            string
	MainID          string
	State           string
	Generation      int64
	Lineage         string
	Tokens          []byte
	ExpiresAt       int64
	Policy          string
	DueAt           int64
	Failure         string
	FailureCause    string
	PersonBy        int64
	Phase           string
	RenewableUntil  int64
	AccountID       string
	AccountName     string
	RequestedScopes string
	RenewedAt       int64
	AuthorizedAt    int64
	LastPulledAt    int64
	LeaseOwner      string
	LeaseUntil      int64
	TrashedAt       int64
	TrashedBy       string
	TrashName       string
	Trash           string
	CreatedAt       int64 `gorm:"autoCreateTime:false"`
	UpdatedAt       int64 `gorm:"autoUpdateTime:false"`
}

// TableName pins the table.
func (ConnectionRow) TableName() string { return "connections" }

// tokensJSON is the sealed form of a token set. Unlike the domain's own form it
// distinguishes "no scopes" from "scopes not given".
type tokensJSON struct {
	AccessToken      string         `json:"access_token"`
	TokenType        string         `json:"token_type,omitempty"`
	RefreshToken     string         `json:"refresh_token,omitempty"`
	IDToken          string         `json:"id_token,omitempty"`
	Scopes           []string       `json:"scopes"`
	Extra            map[string]any `json:"extra,omitempty"`
	ObtainedAt       int64          `json:"obtained_at"`
	ExpiresAt        int64          `json:"expires_at,omitempty"`
	RefreshExpiresAt int64          `json:"refresh_expires_at,omitempty"`
	Late             bool           `json:"late,omitempty"`
	Short            int            `json:"short,omitempty"`
	Doubt            string         `json:"doubt,omitempty"`
	Private          map[string]any `json:"private,omitempty"`
	Fields           map[string]any `json:"fields,omitempty"`
	RedirectURI      string         `json:"redirect_uri,omitempty"`
}

// failureJSON is a failure as its column holds it; "" is none.
type failureJSON struct {
	Kind       string        `json:"kind"`
	Code       string        `json:"code,omitempty"`
	Message    string        `json:"message,omitempty"`
	Remedy     provider.Text `json:"remedy,omitzero"`
	At         int64         `json:"at"`
	Since      int64         `json:"since"`
	Count      int           `json:"count"`
	RetryAfter int64         `json:"retry_after,omitempty"`
	Uncertain  bool          `json:"uncertain,omitempty"`
	// AnswerableUntil is in Unix milliseconds, as the other times.
	AnswerableUntil int64 `json:"answerable_until,omitempty"`
	Status          int   `json:"status,omitempty"`
	Same            int   `json:"same,omitempty"`
	SameSince       int64 `json:"same_since,omitempty"`
	Suspect         bool  `json:"suspect,omitempty"`
	TooEarly        bool  `json:"too_early,omitempty"`
}

// RowOfConnection is a connection as its row holds it, with its tokens sealed.
func (s *Rows) RowOfConnection(c connection.Connection) (ConnectionRow, error) {
	d := c.Derived()
	row := ConnectionRow{
		ID: c.ID, Name: c.Name, Title: c.Title, SearchText: d.Search, ServiceID: c.ServiceID,
		GrantType: string(c.Grant), Part: c.Part, MainID: c.MainID,
		State: string(c.State), Generation: c.Generation, Lineage: c.Lineage, ExpiresAt: db.Millis(c.Tokens.ExpiresAt), DueAt: db.Millis(c.Due),
		AccountID: c.Account.ID, AccountName: c.Account.Name, RenewedAt: db.Millis(c.RenewedAt),
		AuthorizedAt: db.Millis(c.AuthorizedAt), LastPulledAt: db.Millis(c.LastPulledAt),
		CreatedAt: db.Millis(c.CreatedAt), UpdatedAt: db.Millis(c.UpdatedAt),
	}
	row.FailureCause, row.PersonBy = d.Cause, db.Millis(d.PersonBy)
	row.Phase, row.RenewableUntil = string(d.Phase), db.Millis(d.RenewableUntil)
	var err error
	if row.Tokens, err = s.sealTokens(c.Tokens, "connections", c.ID); err != nil {
		return row, err
	}
	if len(c.Options) > 0 {
		if row.Options, err = s.db.SealJSON(c.Options, "connections", c.ID, "options"); err != nil {
			return row, err
		}
	}
	if row.Policy, err = db.JSONText(c.Policy); err != nil {
		return row, err
	}
	if row.Failure, err = failureText(c.Failure); err != nil {
		return row, err
	}
	row.RequestedScopes, err = db.JSONText(c.RequestedScopes)
	return row, err
}

func (s *Rows) connectionOf(row *ConnectionRow) (connection.Connection, error) {
	c := connection.Connection{
		ID: row.ID, Name: row.Name, Title: row.Title, ServiceID: row.ServiceID, State: connection.State(row.State),
		Grant: provider.Grant(row.GrantType), Part: row.Part, MainID: row.MainID,
		Generation: row.Generation, Lineage: row.Lineage, Due: db.TimeOf(row.DueAt), Account: provider.Account{ID: row.AccountID, Name: row.AccountName},
		RenewedAt: db.TimeOf(row.RenewedAt), AuthorizedAt: db.TimeOf(row.AuthorizedAt), LastPulledAt: db.TimeOf(row.LastPulledAt),
		CreatedAt: db.TimeOf(row.CreatedAt), UpdatedAt: db.TimeOf(row.UpdatedAt), Cause: row.FailureCause,
	}
	var err error
	if c.Tokens, err = s.openTokens(row.Tokens, "connections", row.ID); err != nil {
		return c, fmt.Errorf("read the connection %s: %w", row.Name, err)
	}
	if len(row.Options) > 0 {
		if err := s.db.OpenJSON(row.Options, &c.Options, "connections", row.ID, "options"); err != nil {
			return c, fmt.Errorf("read the options of the connection %s: %w", row.Name, err)
		}
	}
	if err := json.Unmarshal([]byte(row.Policy), &c.Policy); err != nil {
		return c, fmt.Errorf("read the policy of the connection %s: %w", row.Name, err)
	}
	if c.Failure, err = failureOf(row.Failure); err != nil {
		return c, fmt.Errorf("read the failure of the connection %s: %w", row.Name, err)
	}
	if err := json.Unmarshal([]byte(row.RequestedScopes), &c.RequestedScopes); err != nil {
		return c, fmt.Errorf("read the scopes of the connection %s: %w", row.Name, err)
	}
	return c, nil
}

// ConnectionsOf reads rows. Its error is that of the first one that does not open.
func (s *Rows) ConnectionsOf(rows []ConnectionRow) ([]connection.Connection, error) {
	connections := make([]connection.Connection, 0, len(rows))
	for i := range rows {
		c, err := s.connectionOf(&rows[i])
		if err != nil {
			return nil, err
		}
		connections = append(connections, c)
	}
	return connections, nil
}

// sealTokens seals a token set; the empty one is nil.
func (s *Rows) sealTokens(t connection.TokenSet, table, id string) ([]byte, error) {
	if t.AccessToken == "" && t.RefreshToken == "" && t.IDToken == "" && len(t.Extra) == 0 && len(t.Fields) == 0 && t.ObtainedAt.IsZero() {
		return nil, nil
	}
	return s.db.SealJSON(tokensJSON{
		AccessToken: t.AccessToken, TokenType: t.TokenType, RefreshToken: t.RefreshToken, IDToken: t.IDToken,
		Scopes: t.Scopes, Extra: t.Extra, ObtainedAt: db.Millis(t.ObtainedAt), ExpiresAt: db.Millis(t.ExpiresAt),
		RefreshExpiresAt: db.Millis(t.RefreshExpiresAt), Late: t.Late, Short: t.Short, Doubt: string(t.Doubt),
		Private: t.Private, Fields: t.Fields, RedirectURI: t.RedirectURI,
	}, table, id, "tokens")
}

func (s *Rows) openTokens(sealed []byte, table, id string) (connection.TokenSet, error) {
	if len(sealed) == 0 {
		return connection.TokenSet{}, nil
	}
	var t tokensJSON
	if err := s.db.OpenJSON(sealed, &t, table, id, "tokens"); err != nil {
		return connection.TokenSet{}, err
	}
	return connection.TokenSet{
		AccessToken: t.AccessToken, TokenType: t.TokenType, RefreshToken: t.RefreshToken, IDToken: t.IDToken,
		Scopes: t.Scopes, Extra: t.Extra, ObtainedAt: db.TimeOf(t.ObtainedAt), ExpiresAt: db.TimeOf(t.ExpiresAt),
		RefreshExpiresAt: db.TimeOf(t.RefreshExpiresAt), Late: t.Late, Short: t.Short, Doubt: connection.Doubt(t.Doubt),
		Private: t.Private, Fields: t.Fields, RedirectURI: t.RedirectURI,
	}, nil
}

func failureText(f *connection.Failure) (string, error) {
	if f == nil {
		return "", nil
	}
	return db.JSONText(failureJSON{
		Kind: f.Kind.String(), Code: f.Code, Message: f.Message, Remedy: f.Remedy, At: db.Millis(f.At),
		Since: db.Millis(f.Since), Count: f.Count, RetryAfter: db.Millis(f.RetryAfter), Uncertain: f.Uncertain,
		AnswerableUntil: db.Millis(f.AnswerableUntil), Status: f.Status, Same: f.Same, SameSince: db.Millis(f.SameSince), Suspect: f.Suspect, TooEarly: f.TooEarly,
	})
}

// failureOf reads a failure as its column holds it; nil is none.
func failureOf(text string) (*connection.Failure, error) {
	if text == "" {
		return nil, nil
	}
	var f failureJSON
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return nil, err
	}
	return &connection.Failure{
		Kind: provider.ParseKind(f.Kind), Code: f.Code, Message: f.Message, Remedy: f.Remedy, At: db.TimeOf(f.At),
		Since: db.TimeOf(f.Since), Count: f.Count, RetryAfter: db.TimeOf(f.RetryAfter), Uncertain: f.Uncertain,
		AnswerableUntil: db.TimeOf(f.AnswerableUntil), Status: f.Status, Same: f.Same, SameSince: db.TimeOf(f.SameSince), Suspect: f.Suspect, TooEarly: f.TooEarly,
	}, nil
}

// ReadableOf leaves out connections that do not open: one damaged row must not
// stop the others' renewal. Its lease keeps it from being logged all the time.
func (s *Rows) ReadableOf(rows []ConnectionRow) []connection.Connection {
	connections := make([]connection.Connection, 0, len(rows))
	for i := range rows {
		c, err := s.connectionOf(&rows[i])
		if err != nil {
			s.db.Log.Error("read due connection failed, not renewed", "connection", rows[i].Name, "error", err)
			continue
		}
		connections = append(connections, c)
	}
	return connections
}
