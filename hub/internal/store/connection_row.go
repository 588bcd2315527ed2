package store

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

type connectionRow struct {
	ID              string `gorm:"primaryKey"`
	Name            string
	Title           string
	SearchText      string
	ServiceID       string
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
func (connectionRow) TableName() string { return "connections" }

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

func (s *Store) rowOfConnection(c connection.Connection) (connectionRow, error) {
	row := connectionRow{
		ID: c.ID, Name: c.Name, Title: c.Title, SearchText: searchText(c), ServiceID: c.ServiceID,
		State: string(c.State), Generation: c.Generation, Lineage: c.Lineage, ExpiresAt: millis(c.Tokens.ExpiresAt), DueAt: millis(c.Due),
		AccountID: c.Account.ID, AccountName: c.Account.Name, RenewedAt: millis(c.RenewedAt),
		AuthorizedAt: millis(c.AuthorizedAt), LastPulledAt: millis(c.LastPulledAt),
		CreatedAt: millis(c.CreatedAt), UpdatedAt: millis(c.UpdatedAt),
	}
	by, _ := c.PersonBy()
	row.FailureCause, row.PersonBy = c.Cause, millis(by)
	row.Phase, row.RenewableUntil = string(c.Phase()), millis(c.RenewableUntil())
	var err error
	if row.Tokens, err = s.sealTokens(c.Tokens, "connections", c.ID); err != nil {
		return row, err
	}
	if row.Policy, err = jsonText(c.Policy); err != nil {
		return row, err
	}
	if row.Failure, err = failureText(c.Failure); err != nil {
		return row, err
	}
	row.RequestedScopes, err = jsonText(c.RequestedScopes)
	return row, err
}

func (s *Store) connectionOf(row *connectionRow) (connection.Connection, error) {
	c := connection.Connection{
		ID: row.ID, Name: row.Name, Title: row.Title, ServiceID: row.ServiceID, State: connection.State(row.State),
		Generation: row.Generation, Lineage: row.Lineage, Due: timeOf(row.DueAt), Account: provider.Account{ID: row.AccountID, Name: row.AccountName},
		RenewedAt: timeOf(row.RenewedAt), AuthorizedAt: timeOf(row.AuthorizedAt), LastPulledAt: timeOf(row.LastPulledAt),
		CreatedAt: timeOf(row.CreatedAt), UpdatedAt: timeOf(row.UpdatedAt), Cause: row.FailureCause,
	}
	var err error
	if c.Tokens, err = s.openTokens(row.Tokens, "connections", row.ID); err != nil {
		return c, fmt.Errorf("read the connection %s: %w", row.Name, err)
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

func (s *Store) connectionsOf(rows []connectionRow) ([]connection.Connection, error) {
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
func (s *Store) sealTokens(t connection.TokenSet, table, id string) ([]byte, error) {
	if t.AccessToken == "" && t.RefreshToken == "" && t.IDToken == "" && len(t.Extra) == 0 && t.ObtainedAt.IsZero() {
		return nil, nil
	}
	return s.sealJSON(tokensJSON{
		AccessToken: t.AccessToken, TokenType: t.TokenType, RefreshToken: t.RefreshToken, IDToken: t.IDToken,
		Scopes: t.Scopes, Extra: t.Extra, ObtainedAt: millis(t.ObtainedAt), ExpiresAt: millis(t.ExpiresAt),
		RefreshExpiresAt: millis(t.RefreshExpiresAt), Late: t.Late, Short: t.Short, Doubt: string(t.Doubt),
	}, table, id, "tokens")
}

func (s *Store) openTokens(sealed []byte, table, id string) (connection.TokenSet, error) {
	if len(sealed) == 0 {
		return connection.TokenSet{}, nil
	}
	var t tokensJSON
	if err := s.openJSON(sealed, &t, table, id, "tokens"); err != nil {
		return connection.TokenSet{}, err
	}
	return connection.TokenSet{
		AccessToken: t.AccessToken, TokenType: t.TokenType, RefreshToken: t.RefreshToken, IDToken: t.IDToken,
		Scopes: t.Scopes, Extra: t.Extra, ObtainedAt: timeOf(t.ObtainedAt), ExpiresAt: timeOf(t.ExpiresAt),
		RefreshExpiresAt: timeOf(t.RefreshExpiresAt), Late: t.Late, Short: t.Short, Doubt: connection.Doubt(t.Doubt),
	}, nil
}

func failureText(f *connection.Failure) (string, error) {
	if f == nil {
		return "", nil
	}
	return jsonText(failureJSON{
		Kind: f.Kind.String(), Code: f.Code, Message: f.Message, Remedy: f.Remedy, At: millis(f.At),
		Since: millis(f.Since), Count: f.Count, RetryAfter: millis(f.RetryAfter), Uncertain: f.Uncertain,
		AnswerableUntil: millis(f.AnswerableUntil), Status: f.Status, Same: f.Same, SameSince: millis(f.SameSince), Suspect: f.Suspect, TooEarly: f.TooEarly,
	})
}

func failureOf(text string) (*connection.Failure, error) {
	if text == "" {
		return nil, nil
	}
	var f failureJSON
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return nil, err
	}
	return &connection.Failure{
		Kind: provider.ParseKind(f.Kind), Code: f.Code, Message: f.Message, Remedy: f.Remedy, At: timeOf(f.At),
		Since: timeOf(f.Since), Count: f.Count, RetryAfter: timeOf(f.RetryAfter), Uncertain: f.Uncertain,
		AnswerableUntil: timeOf(f.AnswerableUntil), Status: f.Status, Same: f.Same, SameSince: timeOf(f.SameSince), Suspect: f.Suspect, TooEarly: f.TooEarly,
	}, nil
}

// searchText is what Filter.Query is looked for in. It is folded here, for
// SQLite folds Latin letters only.
func searchText(c connection.Connection) string {
	return strings.ToLower(c.Name + "\n" + c.Title + "\n" + c.Account.Name + "\n" + c.Account.ID)
}

// readableOf leaves out connections that do not open: one damaged row must not
// stop the others' renewal. Its lease keeps it from being logged all the time.
func (s *Store) readableOf(rows []connectionRow) []connection.Connection {
	connections := make([]connection.Connection, 0, len(rows))
	for i := range rows {
		c, err := s.connectionOf(&rows[i])
		if err != nil {
			s.log.Error("read due connection failed, not renewed", "connection", rows[i].Name, "error", err)
			continue
		}
		connections = append(connections, c)
	}
	return connections
}
