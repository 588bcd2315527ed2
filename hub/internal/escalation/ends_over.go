package escalation

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// closeEnds closes the escalations none of whose grants ends soon any more, and without a
// message those that a later one continues. It returns their number.
func (p *Planner) closeEnds(ctx context.Context, now time.Time) (int, error) {
	open, err := p.store.Notices.Escalations(ctx, noticedb.EscalationFilter{Open: true, OfNoIncident: true})
	if err != nil {
		return 0, err
	}
	closed := 0
	for _, e := range open {
		if !aboutEnds(e.Event) {
			continue
		}
		done, err := p.closeEnd(ctx, e.ID, now)
		if err != nil {
			return closed, err
		}
		if done {
			closed++
		}
	}
	return closed, nil
}

// aboutEnds reports whether an escalation of no incident is about grants that end.
func aboutEnds(event policy.Event) bool {
	return TopicOf(event) == topicPerson || event == policy.GrantEnded
}

func (p *Planner) closeEnd(ctx context.Context, id string, now time.Time) (bool, error) {
	still, latest, err := p.store.Notices.MarkedEndings(ctx, id, moved)
	switch {
	case err != nil || latest > 0:
		return false, err
	case still > 0:
		return true, p.Supersede(ctx, id, now)
	default:
		return true, p.Close(ctx, id, now)
	}
}
