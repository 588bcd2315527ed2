package peopledb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type userRow struct {
	ID           string `gorm:"primaryKey"`
	Login        string
	LoginFolded  string
	Name         string
	PasswordHash string
	Role         string
	Lang         string
	Theme        string
	CreatedAt    int64 `gorm:"autoCreateTime:false"`
	UpdatedAt    int64 `gorm:"autoUpdateTime:false"`
	LastLoginAt  int64
	DisabledAt   int64
	SecondFactor []byte
	OIDCSubject  string `gorm:"column:oidc_subject"`
}

// TableName pins the table.
func (userRow) TableName() string { return "users" }

// User is a user of the web hub.
type User struct {
	ID string
	// Login is unique in any case of letters.
	Login string
	Name  string
	// PasswordHash is a slow, salted hash with its parameters.
	PasswordHash string
	Role         string
	Lang         string
	Theme        string
	CreatedAt    time.Time
	UpdatedAt    time.Time
	LastLoginAt  time.Time
	// DisabledAt is zero for a user who may log in.
	DisabledAt time.Time
	// SecondFactor is required beside the password.
	SecondFactor SecondFactor
	// OIDCSubject is the person's subject at the sign-in service; empty for one who has
	// never logged in by it. Unique.
	OIDCSubject string
}

// SecondFactor is what a person shows beside the password. It never prints its
// secrets.
type SecondFactor struct {
	// Secret is that of the codes (RFC 6238); empty without any.
	Secret []byte `json:"secret,omitempty"`
	// LastStep is the last time step whose code was taken: each is good once.
	LastStep int64 `json:"last_step,omitempty"`
	// Recovery are the SHA-256 of codes that are good once instead.
	Recovery []string `json:"recovery,omitempty"`
}

// On reports whether a second factor is required.
func (f SecondFactor) On() bool { return len(f.Secret) > 0 }

// String keeps the secret out of %v.
func (f SecondFactor) String() string { return "store.SecondFactor{…}" }

// GoString keeps the secret out of %#v.
func (f SecondFactor) GoString() string { return f.String() }

// CreateUser adds a user. Errors: ErrNameTaken.
func (s *Rows) CreateUser(ctx context.Context, u User) error {
	row, err := s.rowOfUser(u)
	if err != nil {
		return err
	}
	return db.Written("add the user "+u.Login, s.db.Writing(ctx).Create(row), "login", u.Login)
}

// CreateFirstUser adds a user if there is none, however many try at one time.
// Errors: ErrInUse if there is one.
func (s *Rows) CreateFirstUser(ctx context.Context, u User) error {
	return s.db.Transaction(ctx, func(tx *gorm.DB) error {
		tried := "add the first user " + u.Login
		if s.db.Dialect() == db.PostgreSQL { // SQLite's transaction keeps other writers out by itself
			if err := tx.Exec("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE").Error; err != nil {
				return db.Failed(tried, err)
			}
		}
		var count int64
		if err := tx.Model(&userRow{}).Count(&count).Error; err != nil {
			return db.Failed(tried, err)
		}
		if count > 0 {
			return fmt.Errorf("%s: there is a user already, log in: %w", tried, db.ErrInUse)
		}
		row, err := s.rowOfUser(u)
		if err != nil {
			return err
		}
		return db.Failed(tried, tx.Create(row).Error)
	})
}

// SetLang sets the language of a user and nothing else. Errors: ErrNotFound.
func (s *Rows) SetLang(ctx context.Context, id, lang string, now time.Time) error {
	return db.Changed("set the language of "+id, s.db.Writing(ctx).Model(&userRow{}).Where("id = ?", id).
		Updates(map[string]any{"lang": lang, "updated_at": db.Millis(now)}))
}

// SetPassword replaces the hash of a user's password and nothing else, if it still is the
// one that was checked and the user is not disabled. Errors: ErrStale if it is not.
func (s *Rows) SetPassword(ctx context.Context, id, was, hash string, now time.Time) error {
	err := db.Changed("set the password of "+id, s.db.Writing(ctx).Model(&userRow{}).Where("id = ? AND password_hash = ? AND disabled_at = 0", id, was).
		Updates(map[string]any{"password_hash": hash, "updated_at": db.Millis(now)}))
	if errors.Is(err, db.ErrNotFound) {
		return fmt.Errorf("set the password of %s: %w", id, db.ErrStale)
	}
	return err
}

// NoteLogin sets the time of a user's last login and nothing else, so that it
// cannot undo a change of the password that came meanwhile. Errors: ErrNotFound.
func (s *Rows) NoteLogin(ctx context.Context, id string, at time.Time) error {
	return db.Changed("note the login of "+id, s.db.Writing(ctx).Model(&userRow{}).Where("id = ?", id).Update("last_login_at", db.Millis(at)))
}

// DeleteUser removes a user. Errors: ErrNotFound.
func (s *Rows) DeleteUser(ctx context.Context, id string) error {
	return db.Changed("delete the user "+id, s.db.Writing(ctx).Where("id = ?", id).Delete(&userRow{}))
}

// User reads a user by id. Errors: ErrNotFound.
func (s *Rows) User(ctx context.Context, id string) (User, error) {
	return s.oneUser(ctx, "id = ?", id)
}

// UserByLogin reads a user by login, in any case of letters. Errors: ErrNotFound.
func (s *Rows) UserByLogin(ctx context.Context, login string) (User, error) {
	return s.oneUser(ctx, "login_folded = ?", strings.ToLower(login))
}

// UserByOIDC reads the user of a subject of the sign-in service. Errors: ErrNotFound.
func (s *Rows) UserByOIDC(ctx context.Context, subject string) (User, error) {
	return s.oneUser(ctx, "oidc_subject <> '' AND oidc_subject = ?", subject)
}

func (s *Rows) oneUser(ctx context.Context, where, value string) (User, error) {
	var row userRow
	if err := s.db.Reading(ctx).Where(where, value).Take(&row).Error; err != nil {
		return User{}, db.Failed("read the user", err)
	}
	return s.userOf(&row)
}

// Users reads all users, ordered by login.
func (s *Rows) Users(ctx context.Context) ([]User, error) {
	var rows []userRow
	if err := s.db.Reading(ctx).Order("login_folded").Find(&rows).Error; err != nil {
		return nil, db.Failed("read the users", err)
	}
	users := make([]User, 0, len(rows))
	for i := range rows {
		u, err := s.userOf(&rows[i])
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	return users, nil
}

// CountUsers returns the number of users; 0 means that the hub is not set up.
func (s *Rows) CountUsers(ctx context.Context) (int64, error) {
	var count int64
	err := s.db.Reading(ctx).Model(&userRow{}).Count(&count).Error
	return count, db.Failed("count the users", err)
}

func (s *Rows) rowOfUser(u User) (*userRow, error) {
	row := &userRow{
		ID: u.ID, Login: u.Login, LoginFolded: strings.ToLower(u.Login), Name: u.Name, PasswordHash: u.PasswordHash,
		Role: u.Role, Lang: u.Lang, Theme: u.Theme, CreatedAt: db.Millis(u.CreatedAt), UpdatedAt: db.Millis(u.UpdatedAt),
		LastLoginAt: db.Millis(u.LastLoginAt), DisabledAt: db.Millis(u.DisabledAt), SecondFactor: []byte{},
		OIDCSubject: u.OIDCSubject,
	}
	if !u.SecondFactor.On() {
		return row, nil
	}
	var err error
	row.SecondFactor, err = s.db.SealJSON(u.SecondFactor, "users", u.ID, "second_factor")
	return row, err
}

func (s *Rows) userOf(row *userRow) (User, error) {
	u := User{
		ID: row.ID, Login: row.Login, Name: row.Name, PasswordHash: row.PasswordHash, Role: row.Role, Lang: row.Lang,
		Theme: row.Theme, CreatedAt: db.TimeOf(row.CreatedAt), UpdatedAt: db.TimeOf(row.UpdatedAt), LastLoginAt: db.TimeOf(row.LastLoginAt),
		DisabledAt: db.TimeOf(row.DisabledAt), OIDCSubject: row.OIDCSubject,
	}
	if len(row.SecondFactor) == 0 {
		return u, nil
	}
	return u, s.db.OpenJSON(row.SecondFactor, &u.SecondFactor, "users", row.ID, "second_factor")
}
