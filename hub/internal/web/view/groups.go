package view

import (
	"net/url"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// AcuteGroup is many connections of a service that need a person in the same way.
type AcuteGroup struct {
	Service ServiceRef
	Status  connection.Status
	Never   bool
	Count   int
}

// Why names what they need: "never" were never authorized, "over" have to be authorized
// again, "operator" wait for a setting of the service.
func (g AcuteGroup) Why() string {
	switch {
	case g.Status == connection.StatusNeedsOperator:
		return "operator"
	case g.Never:
		return "never"
	}
	return "over"
}

// Query is the list of all that need it in the service.
func (g AcuteGroup) Query() string {
	q := url.Values{"service": {g.Service.Name}, "status": {string(g.Status)}}
	if g.Status == connection.StatusNeedsAuthorization {
		q.Set("granted", map[bool]string{true: "never", false: "once"}[g.Never])
	}
	return q.Encode()
}
