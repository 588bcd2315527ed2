package provider

import "time"

// Grant names an operation that a provider serves.
type Grant string

// The grants, one for each interface of this package.
const (
	GrantAuthorizationCode Grant = "authorization_code"
	GrantRefresh           Grant = "refresh"
	GrantClientCredentials Grant = "client_credentials"
	GrantAssertion         Grant = "assertion"
	GrantLogin             Grant = "login"
	GrantDevice            Grant = "device_code"
	GrantStatic            Grant = "static"
	GrantRevoke            Grant = "revoke"
	GrantIdentify          Grant = "identify"
	GrantIntrospect        Grant = "introspect"
	GrantPrepareService    Grant = "prepare_service"
)

// Grants lists them, for tests and documentation.
func Grants() []Grant {
	return []Grant{
		GrantAuthorizationCode, GrantRefresh, GrantClientCredentials, GrantAssertion, GrantLogin, GrantDevice, GrantStatic,
		GrantRevoke, GrantIdentify, GrantIntrospect, GrantPrepareService,
	}
}

// Obtains reports whether a connection gets its tokens by the grant, as distinct from
// operations on a grant that there is.
func (g Grant) Obtains() bool {
	switch g {
	case GrantAuthorizationCode, GrantClientCredentials, GrantAssertion, GrantLogin, GrantDevice, GrantStatic:
		return true
	}
	return false
}

// Reissues reports whether the hub can obtain the next token set by the same grant again,
// without a person, from what it keeps.
func (g Grant) Reissues() bool {
	return g == GrantClientCredentials || g == GrantAssertion || g == GrantLogin
}

// GrantsOf finds by type assertion what p serves.
func GrantsOf(p Provider) []Grant {
	var grants []Grant
	selective, _ := p.(Selective)
	add := func(ok bool, g Grant) {
		if ok && (selective == nil || selective.Serves(g)) {
			grants = append(grants, g)
		}
	}
	_, ok := p.(AuthorizationCodeGrant)
	add(ok, GrantAuthorizationCode)
	_, ok = p.(Refresher)
	add(ok, GrantRefresh)
	_, ok = p.(ClientCredentialsGrant)
	add(ok, GrantClientCredentials)
	_, ok = p.(AssertionGrant)
	add(ok, GrantAssertion)
	_, ok = p.(LoginGrant)
	add(ok, GrantLogin)
	_, ok = p.(DeviceGrant)
	add(ok, GrantDevice)
	_, ok = p.(StaticGrant)
	add(ok, GrantStatic)
	_, ok = p.(Revoker)
	add(ok, GrantRevoke)
	_, ok = p.(Identifier)
	add(ok, GrantIdentify)
	_, ok = p.(Introspector)
	add(ok, GrantIntrospect)
	_, ok = p.(ServicePreparer)
	add(ok, GrantPrepareService)
	return grants
}

// StaticKey describes the key of a StaticGrant. Its life is Lifetimes.AccessToken.
type StaticKey struct {
	// Fields are what a person enters.
	Fields Schema `json:"fields"`
	// MadeBy names who may make a new one at the service, for example its owner only.
	MadeBy Text `json:"made_by,omitzero"`
	// MadeAtURL is where; optional.
	MadeAtURL string `json:"made_at_url,omitempty"`
	// Steps explain how.
	Steps []Text `json:"steps,omitempty"`
	// Overlap is how long the old key works once there is a new one; zero is until its
	// own end.
	Overlap time.Duration `json:"overlap,omitempty"`
}

// Part is a further grant of one authorization, with a lineage of its own: that of the
// person beside that of the bot.
type Part struct {
	// Name is unique in the description: lower-case letters, digits, hyphens.
	Name  string `json:"name"`
	Title Text   `json:"title"`
}
