package replicadb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// RestoredKey is the setting that a restore leaves: JSON of Restored.
const RestoredKey = "data.restored"

// Restored is the backup that a database was restored from.
type Restored struct {
	BackupID string `json:"backup_id"`
	// BackupAt is the moment that its rows are of, At when it was restored.
	BackupAt time.Time `json:"backup_at"`
	At       time.Time `json:"at"`
	// Version of the evergrant that made the backup.
	Version string `json:"version"`
}

// Restored reads the mark of the last restore by evergrant. Errors: ErrNotFound without
// one.
func (s *Rows) Restored(ctx context.Context) (r Restored, err error) {
	text, err := s.db.Setting(ctx, RestoredKey)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("the mark of a restore cannot be read: %w", err)
	}
	return r, nil
}

// ForgetRestored removes the mark, when everything that follows a restore is done.
func (s *Rows) ForgetRestored(ctx context.Context) error {
	text, err := s.db.Setting(ctx, RestoredKey)
	if err == nil {
		err = s.db.TakeSetting(ctx, RestoredKey, text)
	}
	if errors.Is(err, db.ErrNotFound) {
		return nil
	}
	return err
}
