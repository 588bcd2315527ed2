package connection

import (
	"strings"
	"time"
)

// AccessCodes are a token set in the form that people copy into other systems:
// the fields of Bpium's «Коды доступа» record.
type AccessCodes struct {
	ServiceID    string `json:"serviceId" doc:"Name of the provider"`
	ClientID     string `json:"clientId"`
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken,omitempty" doc:"Only if asked for: two sides that renew one grant lose it"`
	ExpiresIn    *int64 `json:"expiresIn,omitempty" doc:"Seconds from now"`
	Expires      *int64 `json:"expires,omitempty" doc:"Unix time in milliseconds"`
	AuthMethod   string `json:"authMethod" example:"bearer"`
}

// Codes returns the access codes of a connection. withRefreshToken hands the
// renewal over to the system that they are copied to: for a service that rotates
// refresh tokens the grant is lost as soon as both sides renew it.
func (c Connection) Codes(now time.Time, providerName, clientID string, withRefreshToken bool) AccessCodes {
	t := c.Tokens
	codes := AccessCodes{
		ServiceID: providerName, ClientID: clientID, AccessToken: t.AccessToken, AuthMethod: strings.ToLower(t.TokenType),
	}
	if codes.AuthMethod == "" {
		codes.AuthMethod = "bearer"
	}
	if withRefreshToken {
		codes.RefreshToken = t.RefreshToken
	}
	if !t.ExpiresAt.IsZero() {
		codes.ExpiresIn = new(max(0, int64(t.ExpiresAt.Sub(now)/time.Second)))
		codes.Expires = new(t.ExpiresAt.UnixMilli())
	}
	return codes
}
