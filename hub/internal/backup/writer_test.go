package backup_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/backup"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// TestABackupIsOfOneMomentWhileHubsWrite backs up while pairs of rows that belong
// together are written: each backup has both or none of a pair, and every reference holds.
func TestABackupIsOfOneMomentWhileHubsWrite(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			address := "sqlite:" + storetest.Folder(t) + "/evergrant.db"
			if kind == "postgres" {
				address = storetest.Postgres(t)
			}
			box := newBox(t)
			s, err := store.Open(t.Context(), options(address, box))
			check(t, err)
			defer func() { check(t, s.Close()) }()
			check(t, s.Audit.AppendAudit(t.Context(), auditdb.AuditRecord{Act: "begin"}))
			ctx, stop := context.WithCancel(t.Context())
			var writing sync.WaitGroup
			written := make(chan struct{})
			writing.Go(func() { write(ctx, t, s, written) })
			for range 3 {
				<-written
				file, _ := save(t, address, box, t.TempDir())
				restored := "sqlite:" + storetest.Folder(t) + "/evergrant.db"
				_, err := backup.Restore(t.Context(), file, backup.Target{Database: options(restored, box), Box: box})
				check(t, err)
				consistent(t, content(t, restored))
			}
			stop()
			writing.Wait()
		})
	}
}

// write adds services and their connections, and audit records that the chain's end counts.
func write(ctx context.Context, t *testing.T, s *store.Store, written chan<- struct{}) {
	for n := 0; ctx.Err() == nil; n++ {
		svc := service.Service{ID: store.NewID(), Name: fmt.Sprint("s", n), Provider: "oauth2", Description: &provider.Description{Name: "oauth2"}}
		all := context.WithoutCancel(ctx)
		if err := s.Services.CreateService(all, svc); err != nil {
			t.Error(err)
			return
		}
		now := connection.New(svc.CreatedAt, store.NewID(), fmt.Sprint("c", n), "", svc.ID, connection.Policy{})
		if err := s.Grants.CreateConnection(all, now); err != nil {
			t.Error(err)
		}
		if err := s.Audit.AppendAudit(all, auditdb.AuditRecord{Act: "connection.add"}, auditdb.AuditRecord{Act: "service.add"}); err != nil {
			t.Error(err)
		}
		select {
		case written <- struct{}{}:
		default:
		}
	}
}

func consistent(t *testing.T, rows map[string][]string) {
	t.Helper()
	records, chain := len(rows["audit_records"]), rows["audit_chain"]
	if len(chain) != 1 || !strings.Contains(chain[0], fmt.Sprintf(`"seq":%d`, records)) || records%2 != 1 {
		t.Errorf("%d audit records, and the chain's end is %v", records, chain)
	}
	services, connections := len(rows["services"]), len(rows["connections"])
	if connections > services || services > connections+1 {
		t.Errorf("%d services, %d connections", services, connections)
	}
}
