package hub

import (
	"context"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/escalation"
)

// hostsChanged records that a service's secrets or grants go to other hosts, or wait for
// an owner's consent, and notifies the owners.
func (h *Hub) hostsChanged(ctx context.Context, change catalogue.HostChange) {
	ctx = context.WithoutCancel(ctx)
	act, code := "service.hosts", escalation.NoticeDone
	switch change.How {
	case catalogue.HostsHeld:
		act, code = "service.hosts_held", escalation.NoticeWaits
	case catalogue.HostsConsented:
		act = "service.hosts_consent"
	case catalogue.HostsChanged:
	}
	h.audit.Record(ctx, act, audit.Object{Kind: "service", Name: change.Service.Name},
		"was", strings.Join(change.From, ", "), "hosts", strings.Join(change.New, ", "))
	err := escalation.NewPlanner(h.store).EndHostNotices(ctx, change.Service.ID, time.Now())
	if err == nil {
		err = h.escalates.TellHosts(ctx, change.Service.ID, change.Service.Title, code, audit.From(ctx).Name, change.From, change.New)
	}
	if err != nil {
		h.log.Error("notify owners of changed hosts failed; the audit log has the change", "service", change.Service.Name, "error", err)
	}
}
