package incident

import (
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// seenEvery is how often an open incident is written that has not changed.
const seenEvery = time.Minute

// seen is what the store holds of failures and incidents at a moment.
type seen struct {
	causes []grantdb.Suffering
	open   []noticedb.Incident
	// notified is what people were notified of each open incident, by its id.
	notified map[string]noticedb.Notified
	// rulesChanged is when a contact or an escalation policy was changed last.
	rulesChanged time.Time
}

// change is what becomes of an incident.
type change struct {
	// incident is as it has to be written; one that opens has no id yet.
	incident noticedb.Incident
	// sample is a connection that suffers from one that opens.
	sample string
	// open and end are set for one that begins and one that is over.
	open, end bool
	// touch is set if the incident's row has to be written.
	touch bool
	// escalate is set if it has no escalation: an older version opened it. resume is set
	// if its escalation goes on, late if nobody could be notified so far.
	escalate, resume, late bool
	escalationID           string
}

// changes are those that bring the incidents up to date.
func (s seen) changes(now time.Time) []change {
	var list []change
	for _, cause := range s.causes {
		i := slices.IndexFunc(s.open, func(x noticedb.Incident) bool { return x.Cause == cause.Cause })
		if i < 0 {
			list = append(list, change{open: true, sample: cause.Sample, incident: noticedb.Incident{
				Cause: cause.Cause, Affected: cause.Affected, MostAffected: cause.Affected, OpenedAt: now, SeenAt: now,
			}})
			continue
		}
		list = append(list, s.goesOn(s.open[i], cause.Affected, now))
	}
	for _, x := range s.open {
		if !slices.ContainsFunc(s.causes, func(c grantdb.Suffering) bool { return c.Cause == x.Cause }) {
			list = append(list, change{end: true, incident: x})
		}
	}
	return list
}

// goesOn is the change of an incident that connections still suffer from. People are
// notified if more suffer, or if contacts or policies were changed since nobody could be.
func (s seen) goesOn(i noticedb.Incident, affected int, now time.Time) change {
	told := s.notified[i.ID]
	late := !told.Planned && s.rulesChanged.After(i.SeenAt)
	c := change{touch: i.Affected != affected || now.Sub(i.SeenAt) >= seenEvery, escalationID: told.EscalationID, late: late}
	c.escalate = told.EscalationID == ""
	c.resume = !c.escalate && !told.Closed && (affected > told.Affected || late)
	i.Affected, i.MostAffected = affected, max(i.MostAffected, affected)
	if c.touch {
		i.SeenAt = now
	}
	c.incident = i
	return c
}
