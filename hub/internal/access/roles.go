package access

import "slices"

// Roles of people, from full access to read access.
const (
	RoleOwner         = "owner"
	RoleAdministrator = "administrator"
	RoleOperator      = "operator"
	RoleViewer        = "viewer"
)

// Roles lists them, the mightiest first.
var Roles = []string{RoleOwner, RoleAdministrator, RoleOperator, RoleViewer}

// Act is an operation that needs permission.
type Act string

// The acts. Every page and form of the web hub is one of them.
const (
	// ActSee is to look at connections, services and how they are.
	ActSee Act = "see"
	// ActSelf is to change one's own settings, password and sessions.
	ActSelf Act = "self"
	// ActOperate is to authorize, renew, pause and take up connections.
	ActOperate Act = "operate"
	// ActCodes is to look at tokens.
	ActCodes Act = "codes"
	// ActManage is to add, change and delete services, connections, keys and plugins.
	ActManage Act = "manage"
	// ActPeople is to invite people and change their roles.
	ActPeople Act = "people"
	// ActAudit is to read the audit records.
	ActAudit Act = "audit"
	// ActRequire is to change what a login requires of all users.
	ActRequire Act = "require"
	// ActPublish is to let people without an account use a service on the front page.
	ActPublish Act = "publish"
	// ActConsent is to have grants, and what a new version of a plugin moves, go to other
	// hosts, and a publisher's plugins be signed by another key.
	ActConsent Act = "consent"
	// ActWithdraw is to withdraw again what a restore has brought back.
	ActWithdraw Act = "withdraw"
)

var acts = map[string][]Act{
	RoleOwner:         {ActSee, ActSelf, ActOperate, ActCodes, ActManage, ActPeople, ActAudit, ActRequire, ActPublish, ActConsent, ActWithdraw},
	RoleAdministrator: {ActSee, ActSelf, ActOperate, ActCodes, ActManage, ActPeople, ActAudit},
	RoleOperator:      {ActSee, ActSelf, ActOperate, ActCodes},
	RoleViewer:        {ActSee, ActSelf},
}

// May reports whether a role allows an act. An unknown role allows nothing.
func May(role string, act Act) bool { return slices.Contains(acts[role], act) }

// MayChange reports whether a person of one role may change another of a role, or
// give that role: owners are made and unmade by owners alone.
func MayChange(actor, target string) bool {
	return May(actor, ActPeople) && (actor == RoleOwner || target != RoleOwner)
}
