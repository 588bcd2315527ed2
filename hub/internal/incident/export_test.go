package incident

import (
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// ChangeOf names what becomes of one incident: with nil nothing suffers, or none is open.
func ChangeOf(cause *grantdb.Suffering, open *noticedb.Incident, told noticedb.Notified, rulesChanged, now time.Time) (what string) {
	s := seen{notified: map[string]noticedb.Notified{}, rulesChanged: rulesChanged}
	if cause != nil {
		s.causes = append(s.causes, *cause)
	}
	if open != nil {
		s.open, s.notified[open.ID] = append(s.open, *open), told
	}
	for _, c := range s.changes(now) {
		for name, is := range map[string]bool{"open": c.open, "end": c.end, "escalate": c.escalate, "resume": c.resume} {
			if is {
				what += name
			}
		}
		if c.touch {
			what += " touch"
		}
	}
	return what
}
