package hub

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
)

// descriptions stores plugins' descriptions, so that a plugin is not started only to be
// listed.
type descriptions struct {
	store *store.Store
}

// PluginBySum implements pluginhost.DescriptionCache.
func (d descriptions) PluginBySum(ctx context.Context, sum string) (pluginhost.Described, bool, error) {
	record, err := d.store.Plugins.PluginBySum(ctx, sum)
	if errors.Is(err, store.ErrNotFound) {
		return pluginhost.Described{}, false, nil
	}
	return pluginhost.Described{Version: record.Version, Descriptions: record.Descriptions, Uses: record.Uses}, err == nil, err
}

// SavePlugin implements pluginhost.DescriptionCache.
func (d descriptions) SavePlugin(ctx context.Context, sum, name string, p pluginhost.Described) error {
	return d.store.Plugins.SavePlugin(ctx, plugindb.PluginRecord{Sum: sum, Name: name, Version: p.Version, Descriptions: p.Descriptions, Uses: p.Uses, SeenAt: time.Now()})
}
