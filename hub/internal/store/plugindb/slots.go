package plugindb

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type slotRow struct {
	Name        string `gorm:"primaryKey"`
	Sum         string
	PreviousSum string
	EarlierSum  string
	LossesSum   string
	Enabled     int64
	Pinned      int64
	UpdatedAt   int64 `gorm:"autoUpdateTime:false"`
	UpdatedBy   string
}

// TableName pins the table.
func (slotRow) TableName() string { return "plugin_slots" }

type pluginKeyRow struct {
	ID        string `gorm:"primaryKey"`
	Title     string
	Public    string
	TrustedAt int64
	RevokedAt int64
}

// TableName pins the table.
func (pluginKeyRow) TableName() string { return "plugin_keys" }

// Slot is what runs under a plugin's name.
type Slot struct {
	Name string
	// Sum is the package that runs; "" is the file in the folder.
	Sum string
	// Previous is the package to go back to; "" is none.
	Previous string
	// Earlier is what Previous was before Sum was enabled, given back if Sum is refused.
	Earlier string
	// Losses is the package whose losses for services were accepted; "" is none.
	Losses string
	// Enabled is false for a plugin that is not to run; Pinned keeps this version.
	Enabled, Pinned bool
	UpdatedAt       time.Time
	UpdatedBy       string
}

// PluginKey is a public key whose signatures count.
type PluginKey struct {
	ID, Title, Public string
	TrustedAt         time.Time
	// RevokedAt is zero while it is trusted.
	RevokedAt time.Time
}

// ChangeSlot reads a slot, has it changed and writes it, one change of a slot at a time.
// The change gets a slot without a row as one that is enabled. Errors: what the change
// returned.
func (s *Rows) ChangeSlot(ctx context.Context, name string, change func(*Slot) error) (Slot, error) {
	var slot Slot
	err := s.db.Transaction(ctx, func(tx *gorm.DB) error {
		// The row has to be there to be locked.
		first := slotRow{Name: name, Enabled: 1}
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&first).Error; err != nil {
			return err
		}
		var row slotRow
		if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where("name = ?", name).Take(&row).Error; err != nil {
			return err
		}
		slot = row.value()
		if err := change(&slot); err != nil {
			return err
		}
		return tx.Save(&slotRow{
			Name: name, Sum: slot.Sum, PreviousSum: slot.Previous, EarlierSum: slot.Earlier, LossesSum: slot.Losses, Enabled: flag(slot.Enabled), Pinned: flag(slot.Pinned),
			UpdatedAt: db.Millis(slot.UpdatedAt), UpdatedBy: slot.UpdatedBy,
		}).Error
	})
	return slot, err
}

// DeleteSlot removes a slot: the file in the folder runs, if there is one.
func (s *Rows) DeleteSlot(ctx context.Context, name string) error {
	return db.Failed("forget the plugin "+name, s.db.Writing(ctx).Where("name = ?", name).Delete(&slotRow{}).Error)
}

// Slots reads all slots, by name.
func (s *Rows) Slots(ctx context.Context) ([]Slot, error) {
	var rows []slotRow
	if err := s.db.Reading(ctx).Order("name").Find(&rows).Error; err != nil {
		return nil, db.Failed("read which plugins run", err)
	}
	slots := make([]Slot, 0, len(rows))
	for i := range rows {
		slots = append(slots, rows[i].value())
	}
	return slots, nil
}

func (r *slotRow) value() Slot {
	return Slot{
		Name: r.Name, Sum: r.Sum, Previous: r.PreviousSum, Earlier: r.EarlierSum, Losses: r.LossesSum, Enabled: r.Enabled != 0, Pinned: r.Pinned != 0,
		UpdatedAt: db.TimeOf(r.UpdatedAt), UpdatedBy: r.UpdatedBy,
	}
}

func flag(on bool) int64 {
	if on {
		return 1
	}
	return 0
}

// TrustKey trusts a signing key, also one that was revoked.
func (s *Rows) TrustKey(ctx context.Context, k PluginKey) error {
	row := pluginKeyRow{ID: k.ID, Title: k.Title, Public: k.Public, TrustedAt: db.Millis(k.TrustedAt), RevokedAt: db.Millis(k.RevokedAt)}
	return db.Failed("trust the key "+k.ID, s.db.Writing(ctx).Save(&row).Error)
}

// PluginKeys reads all keys, trusted and revoked, by title.
func (s *Rows) PluginKeys(ctx context.Context) ([]PluginKey, error) {
	var rows []pluginKeyRow
	if err := s.db.Reading(ctx).Order("title, id").Find(&rows).Error; err != nil {
		return nil, db.Failed("read the keys of plugins", err)
	}
	keys := make([]PluginKey, 0, len(rows))
	for _, r := range rows {
		keys = append(keys, PluginKey{ID: r.ID, Title: r.Title, Public: r.Public, TrustedAt: db.TimeOf(r.TrustedAt), RevokedAt: db.TimeOf(r.RevokedAt)})
	}
	return keys, nil
}

// PluginsChanged is a mark that changes with every slot, so that replicas detect changes
// cheaply.
func (s *Rows) PluginsChanged(ctx context.Context) (mark string, err error) {
	var row struct {
		Newest int64
		Slots  int64
	}
	err = s.db.Reading(ctx).Model(&slotRow{}).Select("COALESCE(MAX(updated_at), 0) AS newest, COUNT(*) AS slots").Take(&row).Error
	return fmt.Sprint(row.Newest, " ", row.Slots), db.Failed("look whether plugins have changed", err)
}
