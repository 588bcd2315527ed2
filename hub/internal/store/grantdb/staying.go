package grantdb

import (
	"context"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// Staying are connections that share an authorization with some that a filter selects, and
// are not selected themselves.
type Staying struct {
	// Count is how many they are, Names the first of them by name.
	Count int
	Names []string
}

// StayingParts reads the connections of parts that stay when the main connections of their
// authorizations go: they cannot be authorized again then. names bounds the names.
func (s *Rows) StayingParts(ctx context.Context, f Filter, names int) (Staying, error) {
	return s.staying(ctx, f, names, s.db.Reading(ctx).Where("main_id <> '' AND main_id IN (?)", s.Chosen(ctx, f).Select("id")))
}

// StayingBeside reads what stays of authorizations of which only parts go: the main
// connections and their other parts. names bounds the names.
func (s *Rows) StayingBeside(ctx context.Context, f Filter, names int) (Staying, error) {
	mains := func() *gorm.DB { return s.Chosen(ctx, f).Where("main_id <> ''").Select("main_id") }
	return s.staying(ctx, f, names, s.db.Reading(ctx).Where(
		"(id IN (?) OR main_id <> '' AND main_id IN (?) AND main_id NOT IN (?))", mains(), mains(), s.Chosen(ctx, f).Select("id")))
}

// staying reads what of a condition is neither selected by a filter nor in the trash.
func (s *Rows) staying(ctx context.Context, f Filter, names int, condition *gorm.DB) (x Staying, err error) {
	query := func() *gorm.DB {
		return s.db.Reading(ctx).Model(&ConnectionRow{}).Where(Visible).Where(condition).Where("id NOT IN (?)", s.Chosen(ctx, f).Select("id"))
	}
	var n int64
	if err := query().Count(&n).Error; err != nil {
		return x, db.Failed("count what shares an authorization", err)
	}
	x.Count = int(n)
	err = query().Order("name").Limit(names).Pluck("name", &x.Names).Error
	return x, db.Failed("name what shares an authorization", err)
}
