package authdb

import (
	"context"
	"log/slog"
	"time"

	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/sdk/provider"
)

type offerRow struct {
	ConnectionID string `gorm:"primaryKey"`
	Generation   int64
	Reason       string
	GrantData    []byte
	CreatedAt    int64 `gorm:"autoCreateTime:false"`
	ExpiresAt    int64
}

// TableName pins the table.
func (offerRow) TableName() string { return "offered_grants" }

// Offer is an authorization that came to a grant and is kept aside, because it would
// replace a better one. It never prints its secrets.
type Offer struct {
	ConnectionID string
	// Generation is the connection's when the offer was made.
	Generation int64
	// Reason is why it was not taken at once, one of authflow's, and Part the title of the
	// part that it is about; zero for the authorization's own.
	Reason string
	Part   provider.Text
	// Token is the service's reply, its parts with the accounts that are known, and Asked
	// when its request was about to be sent.
	Token provider.Token
	Asked time.Time
	// RedirectURI is that of the authorization, and KeyIDs the versions of keys that the
	// grant is bound to.
	RedirectURI string
	KeyIDs      map[string]string
	// Account is empty if the service did not say whose it is.
	Account   provider.Account
	Scopes    []string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// LogValue implements slog.LogValuer and shows no secret.
func (o Offer) LogValue() slog.Value {
	return slog.GroupValue(slog.String("connection_id", o.ConnectionID), slog.String("reason", o.Reason))
}

// GoString keeps secrets out of %#v.
func (o Offer) GoString() string { return "store.Offer{" + o.ConnectionID + "}" }

// offerSecrets is what is sealed of an offer.
type offerSecrets struct {
	offeredToken

	RedirectURI string            `json:"redirect_uri,omitempty"`
	KeyIDs      map[string]string `json:"key_ids,omitempty"`
	Account     provider.Account  `json:"account,omitzero"`
	Scopes      []string          `json:"scopes,omitempty"`
	Asked       int64             `json:"asked"`
	Parts       []offeredPart     `json:"parts,omitempty"`
	About       provider.Text     `json:"about,omitzero"`
}

// offeredToken is a token set as a service returned it.
type offeredToken struct {
	AccessToken      string         `json:"access_token"`
	TokenType        string         `json:"token_type,omitempty"`
	RefreshToken     string         `json:"refresh_token,omitempty"`
	IDToken          string         `json:"id_token,omitempty"`
	ExpiresIn        *time.Duration `json:"expires_in,omitempty"`
	RefreshExpiresIn *time.Duration `json:"refresh_expires_in,omitempty"`
	Granted          []string       `json:"granted"`
	Extra            map[string]any `json:"extra,omitempty"`
	Private          map[string]any `json:"private,omitempty"`
}

// offeredPart is the token set of a part, with its account if that is known.
type offeredPart struct {
	Part    string           `json:"part"`
	Token   offeredToken     `json:"token"`
	Account provider.Account `json:"account,omitzero"`
}

func offeredTokenOf(t provider.Token) offeredToken {
	return offeredToken{
		AccessToken: t.AccessToken, TokenType: t.TokenType, RefreshToken: t.RefreshToken, IDToken: t.IDToken, ExpiresIn: t.ExpiresIn,
		RefreshExpiresIn: t.RefreshExpiresIn, Granted: t.Scopes, Extra: t.Extra, Private: t.Private,
	}
}

func offeredPartsOf(parts []provider.PartToken) (offered []offeredPart) {
	for _, p := range parts {
		offered = append(offered, offeredPart{Part: p.Part, Token: offeredTokenOf(p.Token), Account: p.Account})
	}
	return offered
}

// token is the opposite of offeredTokenOf, with the parts of the authorization.
func (t offeredToken) token(parts ...offeredPart) provider.Token {
	token := provider.Token{
		AccessToken: t.AccessToken, TokenType: t.TokenType, RefreshToken: t.RefreshToken, IDToken: t.IDToken, ExpiresIn: t.ExpiresIn,
		RefreshExpiresIn: t.RefreshExpiresIn, Scopes: t.Granted, Extra: t.Extra, Private: t.Private,
	}
	for _, p := range parts {
		token.Parts = append(token.Parts, provider.PartToken{Part: p.Part, Token: p.Token.token(), Account: p.Account})
	}
	return token
}

// PutOffer keeps an authorization aside, in place of one of the same connection.
func (s *Rows) PutOffer(ctx context.Context, o Offer) error {
	sealed, err := s.db.SealJSON(offerSecrets{
		offeredToken: offeredTokenOf(o.Token), Parts: offeredPartsOf(o.Token.Parts), About: o.Part,
		RedirectURI: o.RedirectURI, KeyIDs: o.KeyIDs, Account: o.Account, Scopes: o.Scopes, Asked: db.Millis(o.Asked),
	}, "offered_grants", o.ConnectionID, "grant_data")
	if err == nil {
		row := offerRow{
			ConnectionID: o.ConnectionID, Generation: o.Generation, Reason: o.Reason, GrantData: sealed,
			CreatedAt: db.Millis(o.CreatedAt), ExpiresAt: db.Millis(o.ExpiresAt),
		}
		err = s.db.Writing(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
	}
	return db.Failed("keep an authorization of "+o.ConnectionID+" aside", err)
}

// Offer reads what is kept aside for a connection. Errors: ErrNotFound, also for one
// that has expired.
func (s *Rows) Offer(ctx context.Context, connectionID string, now time.Time) (*Offer, error) {
	var row offerRow
	err := s.db.Reading(ctx).Where("connection_id = ? AND expires_at > ?", connectionID, db.Millis(now)).Take(&row).Error
	if err != nil {
		return nil, db.Failed("read what is kept aside for "+connectionID, err)
	}
	return s.offerOf(&row)
}

// TakeOffer removes what is kept aside for a connection and returns it, in one
// statement. Errors: ErrNotFound, also for one that has expired.
func (s *Rows) TakeOffer(ctx context.Context, connectionID string, now time.Time) (*Offer, error) {
	const tried = "take what is kept aside"
	var rows []offerRow
	err := s.db.Writing(ctx).Clauses(clause.Returning{}).Where("connection_id = ?", connectionID).Delete(&rows).Error
	if err == nil && (len(rows) == 0 || rows[0].ExpiresAt <= db.Millis(now)) {
		err = db.ErrNotFound
	}
	if err != nil {
		return nil, db.Failed(tried, err)
	}
	return s.offerOf(&rows[0])
}

// deleteExpiredOffers removes those that were not taken in time.
func (s *Rows) deleteExpiredOffers(ctx context.Context, now time.Time) error {
	return db.Failed("remove what was kept aside for too long", s.db.Writing(ctx).Where("expires_at <= ?", db.Millis(now)).Delete(&offerRow{}).Error)
}

func (s *Rows) offerOf(row *offerRow) (*Offer, error) {
	var kept offerSecrets
	if err := s.db.OpenJSON(row.GrantData, &kept, "offered_grants", row.ConnectionID, "grant_data"); err != nil {
		return nil, db.Failed("read what is kept aside for "+row.ConnectionID, err)
	}
	return &Offer{
		ConnectionID: row.ConnectionID, Generation: row.Generation, Reason: row.Reason, Asked: db.TimeOf(kept.Asked), Account: kept.Account,
		Scopes: kept.Scopes, RedirectURI: kept.RedirectURI, KeyIDs: kept.KeyIDs, CreatedAt: db.TimeOf(row.CreatedAt), ExpiresAt: db.TimeOf(row.ExpiresAt),
		Token: kept.token(kept.Parts...), Part: kept.About,
	}, nil
}
