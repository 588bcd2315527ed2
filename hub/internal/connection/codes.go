package connection

import (
	"encoding/json"
	"maps"
	"strings"
	"time"
)

// AccessCodes are a token set in the form that people copy into other systems: the
// fields of Bpium's «Коды доступа» record, and beside them all that the service gave by
// the names that it uses, such as domain, client_endpoint and member_id of Bitrix24.
type AccessCodes struct {
	_ struct{} `additionalProperties:"true"`

	ServiceID    string `json:"serviceId" doc:"Bpium's name of the service where one is known, else the name of the provider"`
	ClientID     string `json:"clientId"`
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken,omitempty" doc:"Only if asked for: two sides that renew one grant lose it"`
	ExpiresIn    *int64 `json:"expiresIn,omitempty" doc:"Seconds from now"`
	Expires      *int64 `json:"expires,omitempty" doc:"Unix time in milliseconds"`
	AuthMethod   string `json:"authMethod" example:"bearer"`
	Scope        string `json:"scope,omitempty" doc:"Granted scopes, separated by spaces"`
	// Extra are fields of the service itself; they are encoded beside the others.
	Extra map[string]any `json:"-"`
}

// MarshalJSON puts the service's own fields beside the fixed ones, which win.
func (a AccessCodes) MarshalJSON() ([]byte, error) {
	type fixed AccessCodes
	data, err := json.Marshal(fixed(a))
	if err != nil || len(a.Extra) == 0 {
		return data, err
	}
	all := maps.Clone(a.Extra)
	known := map[string]any{}
	if err := json.Unmarshal(data, &known); err != nil {
		return nil, err
	}
	maps.Copy(all, known)
	return json.Marshal(all)
}

// serviceID is the name under which Bpium's records know a service.
func serviceID(providerName string) string {
	if providerName == "google-calendar" {
		return "google"
	}
	return providerName
}

// Codes returns the access codes of a connection. withRefreshToken hands the
// renewal over to the system that they are copied to: for a service that rotates
// refresh tokens the grant is lost as soon as both sides renew it.
func (c Connection) Codes(now time.Time, providerName, clientID string, withRefreshToken bool) AccessCodes {
	t := c.Tokens
	codes := AccessCodes{
		ServiceID: serviceID(providerName), ClientID: clientID, AccessToken: t.AccessToken, AuthMethod: strings.ToLower(t.TokenType),
	}
	if codes.AuthMethod == "" {
		codes.AuthMethod = "bearer"
	}
	codes.Scope, codes.Extra = strings.Join(t.Scopes, " "), t.Extra
	if withRefreshToken {
		codes.RefreshToken = t.RefreshToken
	}
	if !t.ExpiresAt.IsZero() {
		codes.ExpiresIn = new(max(0, int64(t.ExpiresAt.Sub(now)/time.Second)))
		codes.Expires = new(t.ExpiresAt.UnixMilli())
	}
	return codes
}
