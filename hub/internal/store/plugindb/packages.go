package plugindb

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type packageRow struct {
	Sum        string `gorm:"primaryKey"`
	Name       string
	Version    string
	Manifest   string
	Size       int64
	State      string
	Signer     string
	Problem    string
	StagedAt   int64
	StagedBy   string
	ApprovedAt int64
	ApprovedBy string
}

// TableName pins the table.
func (packageRow) TableName() string { return "plugin_packages" }

type pieceRow struct {
	Sum   string `gorm:"primaryKey"`
	Piece int64  `gorm:"primaryKey;autoIncrement:false"`
	Data  []byte
}

// TableName pins the table.
func (pieceRow) TableName() string { return "plugin_pieces" }

// Package is a plugin's package that was handed in.
type Package struct {
	// Sum is the SHA-256 of its manifest, in lower-case hex.
	Sum           string
	Name, Version string
	// Manifest is its JSON as it is in the package.
	Manifest []byte
	// Size of the package's file, in bytes.
	Size int64
	// State is staged, verified, approved, rejected or quarantined.
	State string
	// Signer is the id of the key that signed it, whether it is trusted or not.
	Signer string
	// Problem is why it is not verified, or why it is in quarantine.
	Problem    string
	StagedAt   time.Time
	StagedBy   string
	ApprovedAt time.Time
	ApprovedBy string
}

// pieceSize keeps single rows small.
const pieceSize = 1 << 20

// AddPackage keeps a package with its file, all or nothing. One that is there
// already stays as it is; added is false then.
func (s *Rows) AddPackage(ctx context.Context, p Package, file []byte) (added bool, err error) {
	row := packageRow{
		Sum: p.Sum, Name: p.Name, Version: p.Version, Manifest: string(p.Manifest), Size: p.Size, State: p.State, Signer: p.Signer, Problem: p.Problem,
		StagedAt: db.Millis(p.StagedAt), StagedBy: p.StagedBy, ApprovedAt: db.Millis(p.ApprovedAt), ApprovedBy: p.ApprovedBy,
	}
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		result := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if result.Error != nil || result.RowsAffected == 0 {
			return result.Error
		}
		added = true
		for n := int64(0); len(file) > 0; n++ {
			size := min(len(file), pieceSize)
			if err := tx.Create(&pieceRow{Sum: p.Sum, Piece: n, Data: file[:size]}).Error; err != nil {
				return err
			}
			file = file[size:]
		}
		return nil
	})
	return added, db.Failed(fmt.Sprintf("keep the package %s %s", p.Name, p.Version), err)
}

// MovePackage changes a package's state if it is in one of the states from.
// Errors: ErrStale, ErrNotFound.
func (s *Rows) MovePackage(ctx context.Context, p Package, from ...string) error {
	tried := fmt.Sprintf("make the package %s %s %s", p.Name, p.Version, p.State)
	result := s.db.Writing(ctx).Model(&packageRow{}).Where("sum = ? AND state IN ?", p.Sum, from).Updates(map[string]any{
		"state": p.State, "problem": p.Problem, "signer": p.Signer, "approved_at": db.Millis(p.ApprovedAt), "approved_by": p.ApprovedBy,
	})
	if result.Error == nil && result.RowsAffected == 0 {
		return fmt.Errorf("%s: %w", tried, db.ErrStale)
	}
	return db.Failed(tried, result.Error)
}

// DeletePackage removes a package that no slot runs or would go back to. Errors:
// ErrInUse, ErrNotFound.
func (s *Rows) DeletePackage(ctx context.Context, sum string) error {
	return s.db.Transaction(ctx, func(tx *gorm.DB) error {
		var slots int64
		if err := tx.Model(&slotRow{}).Where("sum = ?", sum).Count(&slots).Error; err != nil {
			return db.Failed("remove a package", err)
		}
		if slots > 0 {
			return fmt.Errorf("remove a package: a plugin runs from it: %w", db.ErrInUse)
		}
		if err := tx.Model(&slotRow{}).Where("previous_sum = ?", sum).Update("previous_sum", "").Error; err != nil {
			return db.Failed("remove a package", err)
		}
		if err := tx.Model(&slotRow{}).Where("earlier_sum = ?", sum).Update("earlier_sum", "").Error; err != nil {
			return db.Failed("remove a package", err)
		}
		return db.Changed("remove a package", tx.Where("sum = ?", sum).Delete(&packageRow{}))
	})
}

// Packages reads all packages, newest first, without their files.
func (s *Rows) Packages(ctx context.Context) ([]Package, error) {
	var rows []packageRow
	if err := s.db.Reading(ctx).Order("staged_at DESC, sum").Find(&rows).Error; err != nil {
		return nil, db.Failed("read the packages of plugins", err)
	}
	packages := make([]Package, 0, len(rows))
	for i := range rows {
		packages = append(packages, rows[i].value())
	}
	return packages, nil
}

// Package reads one. Errors: ErrNotFound.
func (s *Rows) Package(ctx context.Context, sum string) (Package, error) {
	var row packageRow
	err := s.db.Reading(ctx).Where("sum = ?", sum).Take(&row).Error
	return row.value(), db.Failed("read the package "+sum, err)
}

// PackageFile reads a package's file. Errors: ErrNotFound.
func (s *Rows) PackageFile(ctx context.Context, sum string) (io.Reader, error) {
	var rows []pieceRow
	if err := s.db.Reading(ctx).Where("sum = ?", sum).Order("piece").Find(&rows).Error; err != nil {
		return nil, db.Failed("read the file of the package "+sum, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("read the file of the package %s: %w", sum, db.ErrNotFound)
	}
	pieces := make([]io.Reader, 0, len(rows))
	for _, row := range rows {
		pieces = append(pieces, bytes.NewReader(row.Data))
	}
	return io.MultiReader(pieces...), nil
}

func (r *packageRow) value() Package {
	return Package{
		Sum: r.Sum, Name: r.Name, Version: r.Version, Manifest: []byte(r.Manifest), Size: r.Size, State: r.State, Signer: r.Signer, Problem: r.Problem,
		StagedAt: db.TimeOf(r.StagedAt), StagedBy: r.StagedBy, ApprovedAt: db.TimeOf(r.ApprovedAt), ApprovedBy: r.ApprovedBy,
	}
}
