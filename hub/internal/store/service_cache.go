package store

import (
	"context"
	"sync"

	"github.com/evergrant/evergrant/hub/internal/service"
)

// serviceCache keeps services that were read: to unseal one and to read its
// description costs more than all the rest of a renewal. Its entries are used
// only while the row has the same updated_at, which grows with each change.
type serviceCache struct {
	mu   sync.RWMutex
	byID map[string]service.Service
}

func (c *serviceCache) get(id string, version int64) (service.Service, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	svc, ok := c.byID[id]
	return svc, ok && millis(svc.UpdatedAt) == version
}

// mostServices bounds the cache; a hub has some hundred services.
const mostServices = 2000

func (c *serviceCache) put(svc service.Service) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil || len(c.byID) >= mostServices {
		c.byID = map[string]service.Service{}
	}
	c.byID[svc.ID] = svc
}

// serviceVersions reads updated_at of services; 0 is for one that is gone.
func (s *Store) serviceVersions(ctx context.Context, ids []string) ([]int64, error) {
	var rows []serviceRow
	if err := s.reading(ctx).Select("id", "updated_at").Where("id IN ?", distinct(ids)).Find(&rows).Error; err != nil {
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
