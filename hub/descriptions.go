package hub

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// descriptions stores plugins' descriptions, so that a plugin is not started only to be
// listed.
type descriptions struct {
	store *store.Store
}

// PluginBySum implements pluginhost.DescriptionCache.
func (d descriptions) PluginBySum(ctx context.Context, sum string) (string, []provider.Description, bool, error) {
	record, err := d.store.Plugins.PluginBySum(ctx, sum)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil, false, nil
	}
	return record.Version, record.Descriptions, err == nil, err
}

// SavePlugin implements pluginhost.DescriptionCache.
func (d descriptions) SavePlugin(ctx context.Context, sum, name, version string, descs []provider.Description) error {
	return d.store.Plugins.SavePlugin(ctx, plugindb.PluginRecord{Sum: sum, Name: name, Version: version, Descriptions: descs, SeenAt: time.Now()})
}
