package view

import (
	"slices"
	"strconv"
	"time"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// Moment is a line of a connection's past.
type Moment struct {
	At time.Time
	// Key names the sentence: an act of the audit record, "generation" for a new token
	// set, or "failure".
	Key string
	// Who is the actor, Detail has more.
	ActorKind, Who, Detail string
	Bad                    bool
	// Outcome is refused or failed for an act that was not carried out; Detail is why.
	Outcome string
}

// TimelineOf puts together what happened to a connection, newest first: what people
// and keys did, the token sets that came, and the present failure.
func TimelineOf(c connection.Connection, past []grantdb.PastTokenSet, records []auditdb.AuditRecord, most int) []Moment {
	var moments []Moment
	if f := c.Trouble(); f != nil {
		moments = append(moments, Moment{At: f.At, Key: "failure", Detail: f.Message, Bad: true})
	}
	if c.Generation > 0 && !c.Tokens.ObtainedAt.IsZero() {
		moments = append(moments, Moment{At: c.Tokens.ObtainedAt, Key: "generation", Detail: strconv.FormatInt(c.Generation, 10)})
	}
	for _, p := range past {
		if !p.Tokens.ObtainedAt.IsZero() {
			moments = append(moments, Moment{At: p.Tokens.ObtainedAt, Key: "generation", Detail: strconv.FormatInt(p.Generation, 10)})
		}
	}
	for _, r := range records {
		m := Moment{At: r.At, Key: r.Act, ActorKind: r.ActorKind, Who: r.Actor, Detail: r.Detail["pulls"]}
		switch r.Outcome {
		case audit.Begun: // how it went is another record
			continue
		case audit.Refused, audit.Failed:
			m.Outcome, m.Detail, m.Bad = r.Outcome, r.Detail["reason"], true
		}
		moments = append(moments, m)
	}
	slices.SortStableFunc(moments, func(a, b Moment) int { return b.At.Compare(a.At) })
	return moments[:min(len(moments), most)]
}
