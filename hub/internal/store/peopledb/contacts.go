package peopledb

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// contactRow is a row of contacts.
type contactRow struct {
	ID         string `gorm:"primaryKey"`
	Title      string
	UserID     string
	Lang       string
	Zone       string
	QuietFrom  int64
	QuietUntil int64
	TakesRest  int64
	Addresses  []byte
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
	UpdatedAt  int64 `gorm:"autoUpdateTime:false"`
}

// TableName pins the table.
func (contactRow) TableName() string { return "contacts" }

// connectionOwnerRow is a row of connection_owners.
type connectionOwnerRow struct {
	ConnectionID string `gorm:"primaryKey"`
	ContactID    string
}

// TableName pins the table.
func (connectionOwnerRow) TableName() string { return "connection_owners" }

// SaveContact adds a contact or replaces it. Errors: ErrNameTaken.
func (s *Rows) SaveContact(ctx context.Context, c policy.Contact, now time.Time) error {
	row := contactRow{
		ID: c.ID, Title: c.Title, UserID: c.UserID, Lang: c.Lang, Zone: c.Zone, QuietFrom: int64(c.Quiet.From), QuietUntil: int64(c.Quiet.Until),
		CreatedAt: db.Millis(now), UpdatedAt: db.Millis(now),
	}
	if c.TakesRest {
		row.TakesRest = 1
	}
	var err error
	if row.Addresses, err = s.db.SealJSON(c.Addresses, "contacts", c.ID, "addresses"); err != nil {
		return db.Failed("seal the contact "+c.Title, err)
	}
	return db.Written("save the contact "+c.Title, s.db.Writing(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"title", "user_id", "lang", "zone", "quiet_from", "quiet_until", "takes_rest", "addresses", "updated_at"}),
	}).Create(&row), "title", c.Title)
}

// MoveContact changes where a contact is reached over a channel, and nothing else, if that
// still is from.
func (s *Rows) MoveContact(ctx context.Context, id, channelID, from, to string, now time.Time) error {
	err := s.db.Transaction(ctx, func(tx *gorm.DB) error {
		var row contactRow
		if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ?", id).Take(&row).Error; err != nil {
			return err
		}
		c, err := s.contactOf(row)
		if err != nil {
			return err
		}
		for i, a := range c.Addresses {
			if a.Channel == channelID && a.To == from {
				c.Addresses[i].To = to
			}
		}
		sealed, err := s.db.SealJSON(c.Addresses, "contacts", id, "addresses")
		if err != nil {
			return err
		}
		return tx.Model(&contactRow{}).Where("id = ?", id).Updates(map[string]any{"addresses": sealed, "updated_at": db.Millis(now)}).Error
	})
	return db.Failed("move an address of the contact "+id, err)
}

// Contacts reads all, by title.
func (s *Rows) Contacts(ctx context.Context) ([]policy.Contact, error) {
	var rows []contactRow
	if err := s.db.Reading(ctx).Order("title").Find(&rows).Error; err != nil {
		return nil, db.Failed("read the contacts", err)
	}
	list := make([]policy.Contact, 0, len(rows))
	for _, row := range rows {
		c, err := s.contactOf(row)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// Contact reads one. Errors: ErrNotFound.
func (s *Rows) Contact(ctx context.Context, id string) (policy.Contact, error) {
	var row contactRow
	if err := s.db.Reading(ctx).Where("id = ?", id).Take(&row).Error; err != nil {
		return policy.Contact{}, db.Failed("read the contact "+id, err)
	}
	return s.contactOf(row)
}

func (s *Rows) contactOf(row contactRow) (policy.Contact, error) {
	c := policy.Contact{
		ID: row.ID, Title: row.Title, UserID: row.UserID, Lang: row.Lang, Zone: row.Zone, TakesRest: row.TakesRest != 0,
		Quiet: policy.Quiet{From: int(row.QuietFrom), Until: int(row.QuietUntil)},
	}
	return c, db.Failed("read the contact "+row.Title, s.db.OpenJSON(row.Addresses, &c.Addresses, "contacts", row.ID, "addresses"))
}

// DeleteContact removes one; connections that it owned have no owner then. Errors:
// ErrNotFound.
func (s *Rows) DeleteContact(ctx context.Context, id string) error {
	return s.db.Transaction(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("contact_id = ?", id).Delete(&connectionOwnerRow{}).Error; err != nil {
			return db.Failed("delete the contact "+id, err)
		}
		return db.Changed("delete the contact "+id, tx.Where("id = ?", id).Delete(&contactRow{}))
	})
}

// SetOwner sets the owner of a connection; an empty contact removes it.
func (s *Rows) SetOwner(ctx context.Context, connectionID, contactID string) error {
	if contactID == "" {
		return db.Failed("take the owner from "+connectionID, s.db.Writing(ctx).Where("connection_id = ?", connectionID).Delete(&connectionOwnerRow{}).Error)
	}
	return db.Failed("give "+connectionID+" an owner", s.db.Writing(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "connection_id"}}, DoUpdates: clause.AssignmentColumns([]string{"contact_id"}),
	}).Create(&connectionOwnerRow{ConnectionID: connectionID, ContactID: contactID}).Error)
}

// Owner reads the owner of a connection; empty for none.
func (s *Rows) Owner(ctx context.Context, connectionID string) (string, error) {
	owners, err := s.OwnersOf(ctx, []string{connectionID})
	if err != nil || len(owners) == 0 {
		return "", err
	}
	return owners[0], nil
}

// ContactOfUser reads the contact of a user. Errors: ErrNotFound.
func (s *Rows) ContactOfUser(ctx context.Context, userID string) (policy.Contact, error) {
	var row contactRow
	if err := s.db.Reading(ctx).Where("user_id = ? AND user_id <> ''", userID).Order("created_at").Take(&row).Error; err != nil {
		return policy.Contact{}, db.Failed("read the contact of a user", err)
	}
	return s.contactOf(row)
}

// OwnersOf reads the contacts that own some connections, each once.
func (s *Rows) OwnersOf(ctx context.Context, connectionIDs []string) (ids []string, err error) {
	err = s.db.Reading(ctx).Model(&connectionOwnerRow{}).Where("connection_id IN ?", connectionIDs).Distinct().Order("contact_id").Pluck("contact_id", &ids).Error
	return ids, db.Failed("read the owners", err)
}

// OwnersOfChosen reads the contacts that own connections that a filter selects, each once.
func (s *Rows) OwnersOfChosen(ctx context.Context, f grantdb.Filter) (ids []string, err error) {
	err = s.db.Reading(ctx).Model(&connectionOwnerRow{}).Where("connection_id IN (?)", s.grants.Chosen(ctx, f).Select("id")).Distinct().Pluck("contact_id", &ids).Error
	return ids, db.Failed("read the owners", err)
}

// ContactsOfRole reads the contacts of people who have a role and can log in.
func (s *Rows) ContactsOfRole(ctx context.Context, role string) (ids []string, err error) {
	err = s.db.Reading(ctx).Model(&contactRow{}).Where("user_id IN (SELECT id FROM users WHERE role = ? AND disabled_at = 0)", role).Order("id").Pluck("id", &ids).Error
	return ids, db.Failed("read the contacts of people", err)
}

// ContactsChangedAt is when a contact was changed last; zero without one.
func (s *Rows) ContactsChangedAt(ctx context.Context) (time.Time, error) {
	var at int64
	err := s.db.Reading(ctx).Model(&contactRow{}).Select("COALESCE(MAX(updated_at), 0)").Scan(&at).Error
	return db.TimeOf(at), db.Failed("look for changed contacts", err)
}

// CountOwners returns how many contacts own the connections that a filter selects, and
// how many of these have no owner.
func (s *Rows) CountOwners(ctx context.Context, f grantdb.Filter) (contacts, ownerless int, err error) {
	owned, err := s.OwnersOfChosen(ctx, f)
	var n int64
	if err == nil {
		err = s.grants.Chosen(ctx, f).Where("id NOT IN (SELECT connection_id FROM connection_owners)").Count(&n).Error
	}
	return len(owned), int(n), db.Failed("count who owns the connections", err)
}
