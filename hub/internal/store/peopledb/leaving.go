package peopledb

import (
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// Leaving are the credentials of a person who is removed, disabled or demoted, by which
// they could return.
type Leaving struct {
	// Keys are the titles of API keys that may do everything and that they made, by
	// themselves or by such a key; Invitations the logins of those that they made or that
	// await them.
	Keys, Invitations []string
	// Links is how many links to authorize connections they made or were sent.
	Links int
}

// Empty reports whether there is nothing.
func (l Leaving) Empty() bool { return len(l.Keys)+len(l.Invitations)+l.Links == 0 }

// scopeAdmin is the scope of API keys with all permissions.
const scopeAdmin = "admin:*"

// leavingRows are the ids of what a Leaving names.
type leavingRows struct{ keys, invitations []string }

// LeavingOf returns the credentials by which a person could return.
func (s *Rows) LeavingOf(ctx context.Context, u User, now time.Time) (Leaving, error) {
	l, _, err := leaving(s.db.Reading(ctx), u, now)
	return l, db.Failed("look what "+u.Login+" has made", err)
}

func leaving(tx *gorm.DB, u User, now time.Time) (l Leaving, rows leavingRows, err error) {
	fresh := func() *gorm.DB { return tx.Session(&gorm.Session{NewDB: true}) }
	var keys []apiKeyRow
	err = fresh().Where("revoked_at = 0 AND (expires_at = 0 OR expires_at > ?)", db.Millis(now)).Order("created_at, id").Find(&keys).Error
	if err != nil {
		return l, rows, err
	}
	makers := map[string]bool{u.ID: true}
	for grew := true; grew; { // keys that keys have made
		grew = false
		for _, k := range keys {
			if makers[k.CreatedBy] && !makers["key:"+k.ID] && slices.Contains(strings.Fields(k.Scopes), scopeAdmin) {
				makers["key:"+k.ID], grew = true, true
				l.Keys, rows.keys = append(l.Keys, k.Title), append(rows.keys, k.ID)
			}
		}
	}
	var invited []invitationRow
	err = fresh().Where("expires_at > ? AND (created_by = ? OR LOWER(login) = ?)", db.Millis(now), u.Login, strings.ToLower(u.Login)).Order("login, id").Find(&invited).Error
	if err != nil {
		return l, rows, err
	}
	for _, i := range invited {
		l.Invitations, rows.invitations = append(l.Invitations, i.Login), append(rows.invitations, i.ID)
	}
	var links int64
	err = fresh().Model(&authdb.GrantLinkRow{}).Where("user_id = ? AND used_at = 0 AND expires_at > ?", u.ID, db.Millis(now)).Count(&links).Error
	l.Links = int(links)
	return l, rows, err
}

// withdraw ends all of it.
func withdraw(tx *gorm.DB, u User, now time.Time) (Leaving, error) {
	fresh := func() *gorm.DB { return tx.Session(&gorm.Session{NewDB: true}) }
	l, rows, err := leaving(tx, u, now)
	if err == nil && len(rows.keys) > 0 {
		err = fresh().Model(&apiKeyRow{}).Where("id IN ?", rows.keys).Update("revoked_at", db.Millis(now)).Error
	}
	if err == nil && len(rows.invitations) > 0 {
		err = fresh().Where("id IN ?", rows.invitations).Delete(&invitationRow{}).Error
	}
	if err == nil {
		err = fresh().Model(&authdb.GrantLinkRow{}).Where("user_id = ? AND used_at = 0 AND expires_at > ?", u.ID, db.Millis(now)).Update("expires_at", db.Millis(now)).Error
	}
	return l, db.Failed("withdraw what "+u.Login+" has made", err)
}

// LeaveUser is ChangeUser that in the same transaction withdraws the credentials by which
// the person could return, if the change makes them leave.
func (s *Rows) LeaveUser(ctx context.Context, id, role string, change func(*User) (leaves bool, err error)) (u User, l Leaving, err error) {
	leaves := false
	u, err = s.changeUser(ctx, id, role, func(u *User) (err error) {
		leaves, err = change(u)
		return err
	}, func(tx *gorm.DB, u User) (err error) {
		if leaves {
			l, err = withdraw(tx, u, time.Now())
		}
		return err
	})
	return u, l, err
}
