package grantdb

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// Generation is how far a connection has got.
type Generation struct {
	Generation int64
	Lineage    string
}

// Reached is how far a connection has got, and when it was authorized last.
type Reached struct {
	Generation   int64
	Lineage      string
	AuthorizedAt time.Time
}

// Generations reads how far every connection has got, by id: one small row each.
func (s *Rows) Generations(ctx context.Context) (map[string]Reached, error) {
	var rows []struct {
		ID, Lineage              string
		Generation, AuthorizedAt int64
	}
	err := s.db.Reading(ctx).Model(&ConnectionRow{}).Select("id", "generation", "lineage", "authorized_at").Find(&rows).Error
	all := make(map[string]Reached, len(rows))
	for _, r := range rows {
		all[r.ID] = Reached{r.Generation, r.Lineage, db.TimeOf(r.AuthorizedAt)}
	}
	return all, db.Failed("read how far the connections have got", err)
}
