package connection

import (
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// CauseKind is what an incident is about.
type CauseKind string

// The kinds of causes. The second part of a cause names its subject.
const (
	CauseClient    CauseKind = "client"    // the service refuses the client or its secret
	CauseService   CauseKind = "service"   // the service refuses its settings, or is not paid
	CauseRefusal   CauseKind = "refusal"   // the service refuses renewals with an unclassified error
	CauseOutage    CauseKind = "outage"    // a token endpoint does not answer as it should
	CausePlugin    CauseKind = "plugin"    // a plugin fails
	CauseGrant     CauseKind = "grant"     // one grant is over
	CauseUncertain CauseKind = "uncertain" // one grant in an unknown state
	CauseHub       CauseKind = "hub"       // the hub itself, for example its disk
	CauseClock     CauseKind = "clock"     // clocks have stepped, so no renewal begins
	CauseCopied    CauseKind = "copied"    // the data folder looks copied, so rotating grants wait
	CauseRestored  CauseKind = "restored"  // the database went back, so rotating grants wait until replicas have compared
	CauseBehind    CauseKind = "behind"    // grants from a backup whose refresh token may be spent; a person has to decide
)

// Cause is what prevents the renewal of one or many connections.
type Cause struct {
	Kind CauseKind
	// Of is a service's id (client, service, refusal), a host (outage), a provider (plugin),
	// a connection's id (grant, uncertain), or "" (hub).
	Of string
	// Code is the service's error code, where it distinguishes causes of one service.
	Code string
}

// String is the cause as Connection.Cause holds it.
func (c Cause) String() string {
	if c.Kind == "" {
		return ""
	}
	return strings.TrimRight(string(c.Kind)+"|"+c.Of+"|"+c.Code, "|")
}

// ParseCause reads what String wrote.
func ParseCause(s string) Cause {
	parts := strings.SplitN(s, "|", 3)
	c := Cause{Kind: CauseKind(parts[0])}
	if len(parts) > 1 {
		c.Of = parts[1]
	}
	if len(parts) > 2 {
		c.Code = parts[2]
	}
	return c
}

// Who returns who has to act; "" if the cause resolves itself.
func (c Cause) Who() string {
	switch c.Kind {
	case CauseClient, CauseService, CausePlugin, CauseHub, CauseClock, CauseCopied, CauseBehind:
		return "operator"
	case CauseGrant:
		return "person"
	default:
		return ""
	}
}

// Said describes a cause that no service has caused, for messages; "" for others.
func (c Cause) Said() string {
	switch c.Kind {
	case CauseClock:
		return "clocks have stepped, so the hub begins no renewals until they agree again"
	case CauseCopied:
		return "the hub's data folder looks copied, so grants that rotate are not renewed until it is adopted"
	case CauseRestored:
		return "the hub's database was restored, so grants that rotate wait until all hubs have compared with it"
	case CauseBehind:
		return "the hub's database was restored and these grants may be behind the backup, so they are not renewed until somebody decides in the web hub"
	}
	return ""
}

// clientCodes say that the client or its secret is refused, in the words of RFC
// 6749 section 5.2 and of services that have their own.
var clientCodes = []string{"invalid_client", "wrong_client", "unauthorized_client"}

// CauseOf returns what the failure of a connection has in common with others: 47
// connections that fail with invalid_client share one wrong secret, and all connections
// of an endpoint that is down share one outage. endpoint is the token endpoint's host,
// providerName the service's provider. A paused connection has none.
func CauseOf(c Connection, endpoint, providerName string) Cause {
	f := c.Trouble()
	switch {
	case f == nil, c.State == StatePaused:
		return Cause{}
	case c.State == StateEnded, f.Suspect:
		return Cause{Kind: CauseGrant, Of: c.ID}
	case f.Uncertain:
		return Cause{Kind: CauseUncertain, Of: c.ID}
	case strings.HasPrefix(f.Code, PluginCodes):
		return Cause{Kind: CausePlugin, Of: providerName}
	case f.Code == "journal", f.Code == "hub_panic":
		return Cause{Kind: CauseHub}
	case f.Kind == provider.Blocked, f.Kind == provider.Denied:
		for _, code := range clientCodes {
			if strings.EqualFold(f.Code, code) {
				return Cause{Kind: CauseClient, Of: c.ServiceID}
			}
		}
		return Cause{Kind: CauseService, Of: c.ServiceID, Code: strings.ToLower(f.Code)}
	case f.refuses():
		return Cause{Kind: CauseRefusal, Of: c.ServiceID, Code: strings.ToLower(f.Code)}
	default:
		return Cause{Kind: CauseOutage, Of: endpoint}
	}
}
