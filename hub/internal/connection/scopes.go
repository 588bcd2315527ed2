package connection

import (
	"fmt"
	"slices"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// ScopeNeed is a scope that a process has reported as missing: the service answered a
// request with insufficient_scope (RFC 6750 section 3.1). It is asked for with every later
// authorization of the connection.
type ScopeNeed struct {
	Scope string    `json:"scope"`
	At    time.Time `json:"at"`
	// Declined is set once a person decided that the connection is not to have it: it is
	// not asked for, and nobody is told of it again.
	Declined bool `json:"declined,omitempty"`
}

// Bounds of what processes report.
const (
	// mostNeeds bounds the reported scopes of a connection.
	mostNeeds = 50
	// longestScope bounds one of them, in bytes.
	longestScope = 256
)

// NeedsError is a report of scopes that cannot be taken.
type NeedsError struct{ message string }

// Error implements error.
func (e *NeedsError) Error() string { return e.message }

// Refusal reports that a rule says no.
func (*NeedsError) Refusal() bool { return true }

// NeedScopes notes scopes that a process has reported as missing. fresh are those that were
// not known before and are not granted; if there are none, nothing changes. Errors:
// *NeedsError.
func (c Connection) NeedScopes(now time.Time, reported []string) (after Connection, fresh []string, err error) {
	for _, scope := range reported {
		if !validScope(scope) {
			return c, nil, &NeedsError{fmt.Sprintf("%.40q is no scope: a scope has 1 to %d printable ASCII characters without spaces, quotes and backslashes", scope, longestScope)}
		}
		known := slices.ContainsFunc(c.ScopeNeeds, func(n ScopeNeed) bool { return n.Scope == scope })
		if !known && !c.hasScope(scope) && !slices.Contains(fresh, scope) {
			fresh = append(fresh, scope)
		}
	}
	if len(c.ScopeNeeds)+len(fresh) > mostNeeds {
		return c, nil, &NeedsError{fmt.Sprintf("more than %d scopes were reported as missing for this connection; set the scopes of its service right instead", mostNeeds)}
	}
	c.ScopeNeeds = slices.Clone(c.ScopeNeeds)
	for _, scope := range fresh {
		c.ScopeNeeds = append(c.ScopeNeeds, ScopeNeed{Scope: scope, At: now})
	}
	return c, fresh, nil
}

// validScope reports whether a text is a scope-token (RFC 6749 section 3.3) of a usable
// length.
func validScope(scope string) bool {
	for _, b := range []byte(scope) {
		if b <= ' ' || b >= 0x7f || b == '"' || b == '\\' {
			return false
		}
	}
	return scope != "" && len(scope) <= longestScope
}

// hasScope reports whether the grant has a scope. Where the service did not say what it
// granted it is what was requested (RFC 6749 section 5.1).
func (c Connection) hasScope(scope string) bool {
	granted := c.Tokens.Scopes
	if granted == nil {
		granted = c.RequestedScopes
	}
	return slices.Contains(granted, scope)
}

// LackedScopes are the reported scopes that the grant does not have and nobody has
// declined, in the order in which they were reported.
func (c Connection) LackedScopes() (lacked []string) {
	for _, need := range c.ScopeNeeds {
		if !need.Declined && !c.hasScope(need.Scope) {
			lacked = append(lacked, need.Scope)
		}
	}
	return lacked
}

// DeclineScopes notes that the connection is not to have what it lacks.
func (c Connection) DeclineScopes() Connection {
	lacked := c.LackedScopes()
	c.ScopeNeeds = slices.Clone(c.ScopeNeeds)
	for i, need := range c.ScopeNeeds {
		if slices.Contains(lacked, need.Scope) {
			c.ScopeNeeds[i].Declined = true
		}
	}
	return c
}

// ScopesToAsk are the scopes that an authorization of the connection asks for: those of
// its service, and where processes have reported missing ones also these, with all that
// was requested and granted so far, so that asking for more never loses what there is.
// What was declined is asked for only if the service's own scopes have it or it is granted.
func (c Connection) ScopesToAsk(ofService []string) []string {
	asked := slices.Clone(ofService)
	add := func(scopes ...string) {
		for _, scope := range scopes {
			if !slices.Contains(asked, scope) {
				asked = append(asked, scope)
			}
		}
	}
	var reported, declined []string
	for _, need := range c.ScopeNeeds {
		if need.Declined {
			declined = append(declined, need.Scope)
		} else {
			reported = append(reported, need.Scope)
		}
	}
	if len(reported) == 0 {
		return asked
	}
	add(slices.DeleteFunc(slices.Clone(c.RequestedScopes), func(scope string) bool { return slices.Contains(declined, scope) })...)
	add(c.Tokens.Scopes...)
	add(reported...)
	return asked
}

// MissingScopes are the requested and the reported scopes that were not granted; nil if
// there are none. What was requested counts only if the service said what it granted.
func (c Connection) MissingScopes() (missing []string) {
	if c.Tokens.Scopes != nil {
		for _, want := range c.RequestedScopes {
			if !(provider.Token{Scopes: c.Tokens.Scopes}).HasScopes([]string{want}) {
				missing = append(missing, want)
			}
		}
	}
	for _, need := range c.ScopeNeeds {
		if !c.hasScope(need.Scope) && !slices.Contains(missing, need.Scope) {
			missing = append(missing, need.Scope)
		}
	}
	return missing
}
