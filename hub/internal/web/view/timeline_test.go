package view_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

func TestThePastMarksWhatWasNotDone(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2027, 5, 12, 12, minute, 0, 0, time.UTC) }
	got := view.TimelineOf(connection.Connection{}, nil, []auditdb.AuditRecord{
		{At: at(5), Act: "connection.renew", Outcome: audit.Failed, Detail: map[string]string{"reason": "503"}},
		{At: at(4), Act: "connection.renew", Outcome: audit.Begun},
		{At: at(3), Act: "connection.delete", Outcome: audit.Refused, Detail: map[string]string{"reason": "in use"}},
		{At: at(2), Act: "connection.pause", Outcome: audit.Done},
		{At: at(1), Act: "connection.add"}, // from before outcomes were recorded
	}, 10)
	want := []view.Moment{
		{At: at(5), Key: "connection.renew", Outcome: audit.Failed, Detail: "503", Bad: true},
		{At: at(3), Key: "connection.delete", Outcome: audit.Refused, Detail: "in use", Bad: true},
		{At: at(2), Key: "connection.pause"},
		{At: at(1), Key: "connection.add"},
	}
	if len(got) != len(want) {
		t.Fatalf("the past has %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("moment %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}
