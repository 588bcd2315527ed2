package escalation

import (
	"context"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// TellHosts notifies the owners of the hub that secrets or grants go to other hosts: was
// and more are names of hosts, code is NoticeDone or NoticeWaits. about is the title of a
// service or channel; serviceID is empty for a channel.
func (e *Escalation) TellHosts(ctx context.Context, serviceID, about, code, by string, was, more []string) error {
	said := about + ": " + strings.Join(was, ", ") + " → " + strings.Join(more, ", ")
	if by != "" {
		said += " (" + by + ")"
	}
	notice := noticedb.Escalation{ID: store.NewID(), Event: policy.HostsChanged, ServiceID: serviceID, Code: code, Message: said, OpenedAt: time.Now()}
	if serviceID != "" {
		connections, err := e.o.Store.Grants.Connections(ctx, grantdb.Filter{ServiceID: serviceID})
		if err != nil {
			return err
		}
		for _, c := range connections {
			notice.Connections = append(notice.Connections, c.ID)
		}
		notice.Affected = len(connections)
	}
	if err := e.planner.Open(ctx, notice); err != nil {
		return err
	}
	e.o.Store.AfterCommit(ctx, e.Wake)
	return nil
}
