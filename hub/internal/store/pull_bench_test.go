package store_test

import (
	"fmt"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// BenchmarkPull is the look-up that every token pull makes, alone and on all
// processors, beside reading and opening the whole connection.
func BenchmarkPull(b *testing.B) {
	for dialect, open := range map[string]func() *store.Store{
		store.SQLite:     func() *store.Store { return storetest.SQLite(b) },
		store.PostgreSQL: func() *store.Store { return storetest.Open(b, storetest.Postgres(b)) },
	} {
		b.Run(dialect, func(b *testing.B) {
			s := open()
			svc := newService("portal")
			if err := s.Services.CreateService(b.Context(), svc); err != nil {
				b.Fatal(err)
			}
			var ids []string
			for i := range 1000 {
				c := connection.New(noon, store.NewID(), fmt.Sprint("c", i), "", svc.ID, renewing)
				c = c.Granted(noon, noon, tokens("access", "refresh"), c.Account, nil)
				if err := s.Grants.CreateConnection(b.Context(), c); err != nil {
					b.Fatal(err)
				}
				ids = append(ids, c.ID)
			}
			if err := s.People.CreateAPIKey(b.Context(), newKey("hash", ids...)); err != nil {
				b.Fatal(err)
			}
			pull := func(i int) {
				row, err := s.Pull(b.Context(), "hash", fmt.Sprint("c", i%1000))
				if err != nil || !row.Named {
					b.Error(row, err)
				}
			}
			b.Run("one", func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					pull(i)
				}
			})
			b.Run("parallel", func(b *testing.B) {
				b.RunParallel(func(p *testing.PB) {
					for i := 0; p.Next(); i++ {
						pull(i)
					}
				})
			})
			b.Run("whole-connection", func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					if _, err := s.Grants.Connection(b.Context(), ids[i%1000]); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
