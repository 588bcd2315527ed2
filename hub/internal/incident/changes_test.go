package incident_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/incident"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

func TestWhatBecomesOfAnIncident(t *testing.T) {
	now := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	three := &grantdb.Suffering{Cause: "outage:x", Affected: 3}
	open := &noticedb.Incident{ID: "i", Cause: "outage:x", Affected: 3, SeenAt: now.Add(-10 * time.Second)}
	stale := &noticedb.Incident{ID: "i", Cause: "outage:x", Affected: 3, SeenAt: now.Add(-time.Minute)}
	told := noticedb.Notified{EscalationID: "e", Affected: 3, Planned: true}
	unplanned, closed, fewer := told, told, told
	unplanned.Planned, closed.Closed, fewer.Affected = false, true, 2
	closed.Affected = 1
	long := now.Add(-time.Hour)
	for _, test := range []struct {
		name         string
		cause        *grantdb.Suffering
		open         *noticedb.Incident
		told         noticedb.Notified
		rulesChanged time.Time
		want         string
	}{
		{"nothing", nil, nil, told, long, ""},
		{"a new cause", three, nil, told, long, "open"},
		{"the last has recovered", nil, open, told, long, "end"},
		{"unchanged", three, open, told, long, ""},
		{"unchanged for a minute", three, stale, told, long, " touch"},
		{"more suffer than were said", three, open, fewer, long, "resume"},
		{"more suffer, but it was closed by hand", three, open, closed, long, ""},
		{"no escalation", three, open, noticedb.Notified{}, long, "escalate"},
		{"nobody could be notified", three, open, unplanned, long, ""},
		{"somebody can be since", three, open, unplanned, now, "resume"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := incident.ChangeOf(test.cause, test.open, test.told, test.rulesChanged, now); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
