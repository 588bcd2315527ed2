package noticedb

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type serviceRequestRow struct {
	ID           string `gorm:"primaryKey"`
	Service      string
	Purpose      string
	Contact      string
	Source       string
	AskedBy      string
	Address      string
	State        string
	DecidedBy    string
	EscalationID string
	CreatedAt    int64 `gorm:"autoCreateTime:false"`
	DecidedAt    int64
}

// TableName pins the table.
func (serviceRequestRow) TableName() string { return "service_requests" }

// Where a request for a service came from.
const (
	RequestByPerson = "person" // a signed-in user
	RequestByLink   = "link"   // the receiver of a link
	RequestByFront  = "front"  // a visitor of the front page
)

// States of a request.
const (
	RequestOpen     = "open"
	RequestDone     = "done"
	RequestDeclined = "declined"
)

// ServiceRequest is a request for a missing service, in the requester's words.
type ServiceRequest struct {
	ID string
	// Service is its name or address, Purpose what for, Contact how to reach the
	// requester.
	Service, Purpose, Contact string
	// Source is where it came from. AskedBy is a login, or the title of the connection of
	// a link; empty on the front page.
	Source, AskedBy, Address string
	State, DecidedBy         string
	CreatedAt, DecidedAt     time.Time
	// EscalationID is the escalation that administrators are notified by.
	EscalationID string
}

// AddServiceRequest adds an open request.
func (s *Rows) AddServiceRequest(ctx context.Context, r ServiceRequest) error {
	return db.Failed("keep a request for a service", s.db.Writing(ctx).Create(&serviceRequestRow{
		ID: r.ID, Service: r.Service, Purpose: r.Purpose, Contact: r.Contact, Source: r.Source, AskedBy: r.AskedBy, Address: r.Address,
		State: RequestOpen, EscalationID: r.EscalationID, CreatedAt: db.Millis(r.CreatedAt),
	}).Error)
}

// DecideServiceRequest records the decision about a request and returns it. Errors:
// ErrNotFound if it is not open.
func (s *Rows) DecideServiceRequest(ctx context.Context, id, state, by string, now time.Time) (ServiceRequest, error) {
	var rows []serviceRequestRow
	err := db.Changed("decide a request for a service", s.db.Writing(ctx).Model(&rows).Clauses(clause.Returning{}).Where("id = ? AND state = ?", id, RequestOpen).
		UpdateColumns(map[string]any{"state": state, "decided_by": by, "decided_at": db.Millis(now)}))
	if err != nil || len(rows) == 0 {
		return ServiceRequest{}, err
	}
	return rows[0].value(), nil
}

// ServiceRequests reads some: the open ones first, then the newest decided ones.
func (s *Rows) ServiceRequests(ctx context.Context, skip, limit int) ([]ServiceRequest, error) {
	var rows []serviceRequestRow
	err := s.db.Reading(ctx).Order("CASE state WHEN 'open' THEN 0 ELSE 1 END, created_at DESC, id").Offset(skip).Limit(limit).Find(&rows).Error
	requests := make([]ServiceRequest, 0, len(rows))
	for i := range rows {
		requests = append(requests, rows[i].value())
	}
	return requests, db.Failed("read the requests for services", err)
}

// OpenServiceRequests counts the requests without a decision.
func (s *Rows) OpenServiceRequests(ctx context.Context) (int, error) {
	var n int64
	err := s.db.Reading(ctx).Model(&serviceRequestRow{}).Where("state = ?", RequestOpen).Count(&n).Error
	return int(n), db.Failed("count the requests for services", err)
}

// PruneServiceRequests removes requests that were decided before a time.
func (s *Rows) PruneServiceRequests(ctx context.Context, before time.Time) error {
	return db.Failed("remove old requests for services", s.db.Writing(ctx).Where("decided_at > 0 AND decided_at < ?", db.Millis(before)).Delete(&serviceRequestRow{}).Error)
}

func (r *serviceRequestRow) value() ServiceRequest {
	return ServiceRequest{
		ID: r.ID, Service: r.Service, Purpose: r.Purpose, Contact: r.Contact, Source: r.Source, AskedBy: r.AskedBy, Address: r.Address,
		State: r.State, DecidedBy: r.DecidedBy, EscalationID: r.EscalationID, CreatedAt: db.TimeOf(r.CreatedAt), DecidedAt: db.TimeOf(r.DecidedAt),
	}
}
