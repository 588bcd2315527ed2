package view

import "time"

// Grant is the page of a link.
type Grant struct {
	Service  ServiceRef
	Provider Provider
	// ByDevice is set if the recipient enters a code at the service.
	ByDevice   bool
	Connection string
	// By is who made the link, Until when it can be followed.
	By    string
	Until time.Time
	// Rights are what is asked for.
	Rights []Right
	Action string
	// Entry is what the recipient enters, for a connection that is not authorized in a
	// browser; without a grant there is none.
	Entry GrantEntry
	// Result is why the service did not accept what was entered; nil if nothing was.
	Result *Result
	// Refused is "spent" or "taken" for a link that is no longer valid.
	Refused string
	// Trouble is why the authorization could not be begun.
	Trouble *Trouble
}
