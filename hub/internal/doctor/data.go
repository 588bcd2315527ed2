package doctor

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/identity"
)

// lookAtData checks whether the data folder of an embedded database appears copied.
func (d *deployment) lookAtData(ctx context.Context) []Finding {
	file := filepath.Join(d.o.Config.DataDir, "evergrant.db")
	if url := d.o.Config.Database.URL; url != "" {
		path, embedded := strings.CutPrefix(url, "sqlite:")
		if !embedded {
			return []Finding{ok("copies of a data folder are told by their start")}
		}
		file = strings.TrimPrefix(path, "//")
	}
	var before identity.DataPlace
	here, err := identity.PlaceOf(file)
	if err == nil && d.db != nil {
		value, failed := d.db.Setting(ctx, identity.SettingDataPlace)
		if failed == nil {
			failed = json.Unmarshal([]byte(value), &before)
		}
		err = failed
	}
	switch {
	case err != nil || d.db == nil:
		return []Finding{ok("nothing is known of where it was used before")}
	case d.o.Config.Data.Moves, before.Same(here):
		return []Finding{ok("is where it was used last")}
	}
	return []Finding{fail("looks copied or restored: its database was used on another machine, or as another file; grants that rotate are not renewed",
		"make sure that no hub uses the original, then: evergrant data adopt")}
}
