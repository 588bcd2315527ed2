package servicedb

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/bounded"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// serviceCache keeps services that were read: to unseal one and to read its
// description costs more than all the rest of a renewal. Its entries are used
// only while the row has the same updated_at, which grows with each change.
type serviceCache struct {
	byID *bounded.Map[string, service.Service]
}

// mostServices bounds the cache; a hub has some hundred services.
const mostServices = 2000

func newServiceCache(most int) serviceCache {
	return serviceCache{bounded.New[string, service.Service](most)}
}

func (c serviceCache) get(id string, version int64) (service.Service, bool) {
	svc, ok := c.byID.Get(id)
	return svc, ok && db.Millis(svc.UpdatedAt) == version
}

func (c serviceCache) put(svc service.Service) { c.byID.Put(svc.ID, svc) }

// serviceVersions reads updated_at of services; 0 is for one that is gone.
func (s *Rows) serviceVersions(ctx context.Context, ids []string) ([]int64, error) {
	var rows []serviceRow
	if err := s.db.Reading(ctx).Select("id", "updated_at").Where("id IN ?", db.Distinct(ids)).Find(&rows).Error; err != nil {
		return nil, err
	}
	byID := make(map[string]int64, len(rows))
	for _, row := range rows {
		byID[row.ID] = row.UpdatedAt
	}
	versions := make([]int64, len(ids))
	for i, id := range ids {
		versions[i] = byID[id]
	}
	return versions, nil
}
