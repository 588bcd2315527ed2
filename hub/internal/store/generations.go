package store

import "context"

// Generation is how far a connection has got.
type Generation struct {
	Generation int64
	Lineage    string
}

// Generations reads how far every connection has got, by id: one small row each.
func (s *Store) Generations(ctx context.Context) (map[string]Generation, error) {
	var rows []struct {
		ID         string
		Generation int64
		Lineage    string
	}
	err := s.reading(ctx).Model(&connectionRow{}).Select("id", "generation", "lineage").Find(&rows).Error
	all := make(map[string]Generation, len(rows))
	for _, r := range rows {
		all[r.ID] = Generation{r.Generation, r.Lineage}
	}
	return all, failed("read how far the connections have got", err)
}
