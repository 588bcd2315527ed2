package web

import (
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/notifications"
	"github.com/evergrant/evergrant/hub/internal/bulk"
)

// bulkPages act on many connections by one run.
type bulkPages struct {
	*kit
	*directory
	runner        *bulk.Runner
	notifications *notifications.Notifications
	trashKeep     time.Duration
}

func newBulkPages(k *kit, d *directory, o Options) *bulkPages {
	return &bulkPages{kit: k, directory: d, runner: o.Bulk, notifications: o.Notifications, trashKeep: o.TrashKeep}
}

func (p *bulkPages) routes(in inside) {
	operate := in.may(access.ActOperate)
	operate.POST("/bulk", p.bulk)
	operate.GET("/bulk/:id", p.bulkRun)
	operate.POST("/bulk/:id/cancel", p.cancelBulk)
}
