package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
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
func (s *Store) CreateUser(ctx context.Context, u User) error {
	row, err := s.rowOfUser(u)
	if err != nil {
		return err
	}
	return written("add the user "+u.Login, s.writing(ctx).Create(row), "login", u.Login)
}

// CreateFirstUser adds a user if there is none, however many try at one time.
// Errors: ErrInUse if there is one.
func (s *Store) CreateFirstUser(ctx context.Context, u User) error {
	return s.transaction(ctx, func(tx *gorm.DB) error {
		tried := "add the first user " + u.Login
		if s.dialect == PostgreSQL { // SQLite's transaction keeps other writers out by itself
			if err := tx.Exec("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE").Error; err != nil {
				return failed(tried, err)
			}
		}
		var count int64
		if err := tx.Model(&userRow{}).Count(&count).Error; err != nil {
			return failed(tried, err)
		}
		if count > 0 {
			return fmt.Errorf("%s: there is a user already, log in: %w", tried, ErrInUse)
		}
		row, err := s.rowOfUser(u)
		if err != nil {
			return err
		}
		return failed(tried, tx.Create(row).Error)
	})
}

// SetLang sets the language of a user and nothing else. Errors: ErrNotFound.
func (s *Store) SetLang(ctx context.Context, id, lang string, now time.Time) error {
	return changed("set the language of "+id, s.writing(ctx).Model(&userRow{}).Where("id = ?", id).
		Updates(map[string]any{"lang": lang, "updated_at": millis(now)}))
}

// SetPassword replaces the hash of a user's password and nothing else, if it still is the
// one that was checked and the user is not disabled. Errors: ErrStale if it is not.
func (s *Store) SetPassword(ctx context.Context, id, was, hash string, now time.Time) error {
	err := changed("set the password of "+id, s.writing(ctx).Model(&userRow{}).Where("id = ? AND password_hash = ? AND disabled_at = 0", id, was).
		Updates(map[string]any{"password_hash": hash, "updated_at": millis(now)}))
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("set the password of %s: %w", id, ErrStale)
	}
	return err
}

// NoteLogin sets the time of a user's last login and nothing else, so that it
// cannot undo a change of the password that came meanwhile. Errors: ErrNotFound.
func (s *Store) NoteLogin(ctx context.Context, id string, at time.Time) error {
	return changed("note the login of "+id, s.writing(ctx).Model(&userRow{}).Where("id = ?", id).Update("last_login_at", millis(at)))
}

// DeleteUser removes a user. Errors: ErrNotFound.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	return changed("delete the user "+id, s.writing(ctx).Where("id = ?", id).Delete(&userRow{}))
}

// User reads a user by id. Errors: ErrNotFound.
func (s *Store) User(ctx context.Context, id string) (User, error) {
	return s.oneUser(ctx, "id = ?", id)
}

// UserByLogin reads a user by login, in any case of letters. Errors: ErrNotFound.
func (s *Store) UserByLogin(ctx context.Context, login string) (User, error) {
	return s.oneUser(ctx, "login_folded = ?", strings.ToLower(login))
}

// UserByOIDC reads the user of a subject of the sign-in service. Errors: ErrNotFound.
func (s *Store) UserByOIDC(ctx context.Context, subject string) (User, error) {
	return s.oneUser(ctx, "oidc_subject <> '' AND oidc_subject = ?", subject)
}

func (s *Store) oneUser(ctx context.Context, where, value string) (User, error) {
	var row userRow
	if err := s.reading(ctx).Where(where, value).Take(&row).Error; err != nil {
		return User{}, failed("read the user", err)
	}
	return s.userOf(&row)
}

// Users reads all users, ordered by login.
func (s *Store) Users(ctx context.Context) ([]User, error) {
	var rows []userRow
	if err := s.reading(ctx).Order("login_folded").Find(&rows).Error; err != nil {
		return nil, failed("read the users", err)
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
func (s *Store) CountUsers(ctx context.Context) (int64, error) {
	var count int64
	err := s.reading(ctx).Model(&userRow{}).Count(&count).Error
	return count, failed("count the users", err)
}

func (s *Store) rowOfUser(u User) (*userRow, error) {
	row := &userRow{
		ID: u.ID, Login: u.Login, LoginFolded: strings.ToLower(u.Login), Name: u.Name, PasswordHash: u.PasswordHash,
		Role: u.Role, Lang: u.Lang, Theme: u.Theme, CreatedAt: millis(u.CreatedAt), UpdatedAt: millis(u.UpdatedAt),
		LastLoginAt: millis(u.LastLoginAt), DisabledAt: millis(u.DisabledAt), SecondFactor: []byte{},
		OIDCSubject: u.OIDCSubject,
	}
	if !u.SecondFactor.On() {
		return row, nil
	}
	var err error
	row.SecondFactor, err = s.sealJSON(u.SecondFactor, "users", u.ID, "second_factor")
	return row, err
}

func (s *Store) userOf(row *userRow) (User, error) {
	u := User{
		ID: row.ID, Login: row.Login, Name: row.Name, PasswordHash: row.PasswordHash, Role: row.Role, Lang: row.Lang,
		Theme: row.Theme, CreatedAt: timeOf(row.CreatedAt), UpdatedAt: timeOf(row.UpdatedAt), LastLoginAt: timeOf(row.LastLoginAt),
		DisabledAt: timeOf(row.DisabledAt), OIDCSubject: row.OIDCSubject,
	}
	if len(row.SecondFactor) == 0 {
		return u, nil
	}
	return u, s.openJSON(row.SecondFactor, &u.SecondFactor, "users", row.ID, "second_factor")
}
