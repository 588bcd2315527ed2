package escalation

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// Codes of the escalations of policy.HostsChanged.
const (
	// NoticeDone reports a completed act; it ends by itself.
	NoticeDone = "done"
	// NoticeWaits is open until an owner has decided.
	NoticeWaits = "waits"
)

// noticeLife is how long a notice of what was done stays open.
const noticeLife = 7 * day

// EndHostNotices ends the notices about a service that waited for an owner's decision.
func (p *Planner) EndHostNotices(ctx context.Context, serviceID string, now time.Time) error {
	return p.endNotices(ctx, noticedb.EscalationFilter{ServiceID: serviceID, Code: NoticeWaits}, now, func(noticedb.Escalation) bool { return true })
}

// EndOldNotices ends the notices of completed acts that were acknowledged, or that are
// old.
func (p *Planner) EndOldNotices(ctx context.Context, now time.Time) error {
	return p.endNotices(ctx, noticedb.EscalationFilter{Code: NoticeDone}, now, func(e noticedb.Escalation) bool {
		return !e.AcknowledgedAt.IsZero() || e.OpenedAt.Before(now.Add(-noticeLife))
	})
}

// endNotices ends the notices that a filter selects and that are over.
func (p *Planner) endNotices(ctx context.Context, f noticedb.EscalationFilter, now time.Time, over func(noticedb.Escalation) bool) error {
	f.Open, f.Event = true, policy.HostsChanged
	return p.store.InTx(ctx, func(ctx context.Context) error {
		open, err := p.store.Notices.Escalations(ctx, f)
		if err != nil {
			return err
		}
		for _, e := range open {
			if !over(e) {
				continue
			}
			if err := p.Supersede(ctx, e.ID, now); err != nil {
				return err
			}
		}
		return nil
	})
}
