package plugindb

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type definitionRow struct {
	Name     string `gorm:"primaryKey"`
	Number   int64  `gorm:"primaryKey;autoIncrement:false"`
	Version  string
	Sum      string
	Document string
	Origin   string
	AddedAt  int64
	AddedBy  string
}

// TableName pins the table.
func (definitionRow) TableName() string { return "definition_versions" }

type definitionSlotRow struct {
	Name      string `gorm:"primaryKey"`
	Enabled   int64
	Previous  int64
	Draft     int64
	Losses    string
	Problem   string
	UpdatedAt int64 `gorm:"autoUpdateTime:false"`
	UpdatedBy string
}

// TableName pins the table.
func (definitionSlotRow) TableName() string { return "definition_slots" }

// Where a definition comes from.
const (
	// OriginFolder is a file of the watched folder.
	OriginFolder = "folder"
	// OriginWeb was written or pasted into the hub.
	OriginWeb = "web"
)

// Definition is a version of a definition.
type Definition struct {
	Name string
	// Number counts the versions of a name from 1.
	Number int64
	// Version is what the document says, Sum the SHA-256 of its text.
	Version, Sum string
	// Text is the document.
	Text string
	// Origin is one of the constants.
	Origin  string
	AddedAt time.Time
	// AddedBy is the person's login; "" for the folder.
	AddedBy string
}

// DefinitionSlot says which versions of a definition are served.
type DefinitionSlot struct {
	Name string
	// Enabled is the version that is served, Previous the one before, Draft the one that is
	// served for a try; 0 is none, which for Enabled is the one that is shipped, if there is.
	Enabled, Previous, Draft int64
	// Losses is the version whose losses for services were accepted, as its name and number.
	Losses string
	// Problem is why the hub took a version out of use; "" if it did not.
	Problem   string
	UpdatedAt time.Time
	UpdatedBy string
}

// AddDefinition stores a version under the next number of its name, and returns it; one
// with the same text and origin is returned as it is, and not added.
func (s *Rows) AddDefinition(ctx context.Context, d Definition) (kept Definition, added bool, err error) {
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		if err := lockDefinition(tx, d.Name); err != nil {
			return err
		}
		var same []definitionRow
		if err := tx.Where("name = ? AND sum = ? AND origin = ?", d.Name, d.Sum, d.Origin).Limit(1).Find(&same).Error; err != nil {
			return err
		}
		if len(same) == 1 {
			d = same[0].value()
			return nil
		}
		var last int64
		if err := tx.Model(&definitionRow{}).Where("name = ?", d.Name).Select("COALESCE(MAX(number), 0)").Scan(&last).Error; err != nil {
			return err
		}
		d.Number, added = last+1, true
		return tx.Create(&definitionRow{
			Name: d.Name, Number: d.Number, Version: d.Version, Sum: d.Sum, Document: d.Text, Origin: d.Origin, AddedAt: db.Millis(d.AddedAt), AddedBy: d.AddedBy,
		}).Error
	})
	return d, added, db.Failed("save the definition "+d.Name, err)
}

// lockDefinition has the changes of one name follow each other.
func lockDefinition(tx *gorm.DB, name string) error {
	first := definitionSlotRow{Name: name}
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&first).Error; err != nil {
		return err
	}
	var row definitionSlotRow
	return tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where("name = ?", name).Take(&row).Error
}

// Definitions reads all versions, by name, the newest of each first.
func (s *Rows) Definitions(ctx context.Context) ([]Definition, error) {
	return s.definitionsOf(s.db.Reading(ctx))
}

// DefinitionVersions reads the versions of a name, the newest first.
func (s *Rows) DefinitionVersions(ctx context.Context, name string) ([]Definition, error) {
	return s.definitionsOf(s.db.Reading(ctx).Where("name = ?", name))
}

func (s *Rows) definitionsOf(query *gorm.DB) ([]Definition, error) {
	var rows []definitionRow
	if err := query.Order("name, number DESC").Find(&rows).Error; err != nil {
		return nil, db.Failed("read the definitions", err)
	}
	all := make([]Definition, 0, len(rows))
	for i := range rows {
		all = append(all, rows[i].value())
	}
	return all, nil
}

// Definition reads a version. Errors: ErrNotFound.
func (s *Rows) Definition(ctx context.Context, name string, number int64) (Definition, error) {
	var row definitionRow
	if err := s.db.Reading(ctx).Where("name = ? AND number = ?", name, number).Take(&row).Error; err != nil {
		return Definition{}, db.Failed(fmt.Sprintf("read version %d of the definition %s", number, name), err)
	}
	return row.value(), nil
}

func (r *definitionRow) value() Definition {
	return Definition{
		Name: r.Name, Number: r.Number, Version: r.Version, Sum: r.Sum, Text: r.Document, Origin: r.Origin, AddedAt: db.TimeOf(r.AddedAt), AddedBy: r.AddedBy,
	}
}

// DefinitionSlots reads which versions are served, by name.
func (s *Rows) DefinitionSlots(ctx context.Context) ([]DefinitionSlot, error) {
	var rows []definitionSlotRow
	if err := s.db.Reading(ctx).Order("name").Find(&rows).Error; err != nil {
		return nil, db.Failed("read which definitions are served", err)
	}
	slots := make([]DefinitionSlot, 0, len(rows))
	for i := range rows {
		slots = append(slots, rows[i].value())
	}
	return slots, nil
}

func (r *definitionSlotRow) value() DefinitionSlot {
	return DefinitionSlot{
		Name: r.Name, Enabled: r.Enabled, Previous: r.Previous, Draft: r.Draft, Losses: r.Losses, Problem: r.Problem, UpdatedAt: db.TimeOf(r.UpdatedAt), UpdatedBy: r.UpdatedBy,
	}
}

// ChangeDefinition reads a slot, has it changed and writes it, one change of a name at a
// time. Errors: what the change returned.
func (s *Rows) ChangeDefinition(ctx context.Context, name string, change func(*DefinitionSlot) error) error {
	return s.db.Transaction(ctx, func(tx *gorm.DB) error {
		if err := lockDefinition(tx, name); err != nil {
			return db.Failed("change the definition "+name, err)
		}
		var row definitionSlotRow
		if err := tx.Where("name = ?", name).Take(&row).Error; err != nil {
			return db.Failed("change the definition "+name, err)
		}
		slot := row.value()
		if err := change(&slot); err != nil {
			return err
		}
		return db.Failed("change the definition "+name, tx.Save(&definitionSlotRow{
			Name: name, Enabled: slot.Enabled, Previous: slot.Previous, Draft: slot.Draft, Losses: slot.Losses, Problem: slot.Problem, UpdatedAt: db.Millis(slot.UpdatedAt), UpdatedBy: slot.UpdatedBy,
		}).Error)
	})
}

// DefinitionsChanged is a mark that changes with every slot, so that replicas detect
// changes cheaply.
func (s *Rows) DefinitionsChanged(ctx context.Context) (mark string, err error) {
	var row struct{ Newest, Slots int64 }
	err = s.db.Reading(ctx).Model(&definitionSlotRow{}).Select("COALESCE(MAX(updated_at), 0) AS newest, COUNT(*) AS slots").Take(&row).Error
	return fmt.Sprint(row.Newest, " ", row.Slots), db.Failed("look whether definitions have changed", err)
}

// ServedDefinitions reads the versions that slots name as enabled or as a draft.
func (s *Rows) ServedDefinitions(ctx context.Context) ([]Definition, error) {
	return s.definitionsOf(s.db.Reading(ctx).
		Where("EXISTS (SELECT 1 FROM definition_slots s WHERE s.name = definition_versions.name AND (s.enabled = definition_versions.number OR s.draft = definition_versions.number))"))
}
