package escalation

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/sdk/provider"
)

const (
	day = 24 * time.Hour
	// moved is how far the expiry of a grant may move and still count as the notified one.
	moved = 36 * time.Hour
	// runOut is for how long a grant that has run out is news.
	runOut = 7 * day
)

// terms are the terms of notification at a time, the shortest first: each selects the grants
// that end within its days and not within the days of the one before. The first is of those
// that have ended, without any renewal that could have failed. A grant whose whole life is
// shorter than a term is not notified at it. The longest term is of static keys alone.
func terms(now time.Time) []noticedb.EndingFilter {
	list := []noticedb.EndingFilter{{After: now.Add(-runOut), Until: now, UselessAt: now, Moved: moved}}
	for _, days := range slices.Sorted(slices.Values(policy.Days)) {
		until := now.Add(time.Duration(days) * day)
		list = append(list, noticedb.EndingFilter{After: list[len(list)-1].Until, Until: until, LongerThan: time.Duration(days) * day, Days: days, Moved: moved})
	}
	return append(list, noticedb.EndingFilter{
		After: list[len(list)-1].Until, Until: now.Add(policy.KeyDays * day), LongerThan: policy.KeyDays * day, Days: policy.KeyDays, Moved: moved, Grant: provider.GrantStatic,
	})
}

// eventIn is the event of a term.
func eventIn(days int) policy.Event {
	if days == 0 {
		return policy.GrantEnded
	}
	return policy.PersonIn(days)
}

// TellOfEnds opens an escalation for the grants that expire within 14, 3 and 1 days, static
// keys also within 30, or have expired without any renewal that could have failed, and whose expiry was not
// notified yet: one for each service and number of days, however many connections there
// are. It closes those whose connections were all authorized again. Each grant is marked
// in the transaction that opens its escalation, so that it is notified once. It returns how
// many it opened and closed.
func (p *Planner) TellOfEnds(ctx context.Context, now time.Time) (begun, ended int, err error) {
	err = p.store.InTx(ctx, func(ctx context.Context) error {
		contacts, err := p.store.People.Contacts(ctx)
		if err != nil || len(contacts) == 0 {
			return err // what cannot be notified now is notified later
		}
		for _, term := range terms(now) {
			n, err := p.tellTerm(ctx, term, now)
			if err != nil {
				return err
			}
			begun += n
		}
		ended, err = p.closeEnds(ctx, now)
		return err
	})
	return begun, ended, err
}

// tellTerm opens the escalations of a term and returns their number.
func (p *Planner) tellTerm(ctx context.Context, term noticedb.EndingFilter, now time.Time) (int, error) {
	endings, err := p.store.Notices.Endings(ctx, term)
	if err != nil {
		return 0, err
	}
	begun := 0
	for _, e := range endingsByService(endings, term.Days, now) {
		mine, err := p.mark(ctx, e, term.Days)
		if err != nil {
			return 0, err
		}
		if mine.Affected == 0 {
			continue // another replica has
		}
		if err := p.Open(ctx, mine); err != nil {
			return 0, err
		}
		begun++
	}
	return begun, nil
}

// endOfService are the grants of one service that end within one term.
type endOfService struct {
	escalation noticedb.Escalation
	endings    []noticedb.Ending
}

// endingsByService groups grants by their service, in the order of the services' ids, into
// escalations that no grant is part of yet.
func endingsByService(endings []noticedb.Ending, days int, now time.Time) []endOfService {
	var list []endOfService
	for _, x := range endings {
		i := slices.IndexFunc(list, func(e endOfService) bool { return e.escalation.ServiceID == x.ServiceID })
		if i < 0 {
			i = len(list)
			list = append(list, endOfService{escalation: noticedb.Escalation{ID: store.NewID(), Event: eventIn(days), ServiceID: x.ServiceID, OpenedAt: now}})
		}
		list[i].endings = append(list[i].endings, x)
	}
	slices.SortFunc(list, func(a, b endOfService) int { return cmp.Compare(a.escalation.ServiceID, b.escalation.ServiceID) })
	return list
}

// mark marks grants as notified and returns the escalation of those that this call marked.
func (p *Planner) mark(ctx context.Context, e endOfService, days int) (noticedb.Escalation, error) {
	mine := e.escalation
	for _, x := range e.endings {
		marked, err := p.store.Notices.MarkEnding(ctx, x, days, mine.ID, moved)
		if err != nil {
			return mine, err
		}
		if !marked {
			continue
		}
		if mine.Affected == 0 {
			mine.PersonBy = x.PersonBy
		}
		mine.Affected++
		mine.Connections = append(mine.Connections, x.ConnectionID)
	}
	return mine, nil
}
