package store

import (
	"context"
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
}

// TableName pins the table.
func (userRow) TableName() string { return "users" }

// User is a person who uses the web hub.
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
}

// CreateUser adds a user. Errors: ErrNameTaken.
func (s *Store) CreateUser(ctx context.Context, u User) error {
	return written("add the user "+u.Login, s.writing(ctx).Create(rowOfUser(u)), "login", u.Login)
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
		return failed(tried, tx.Create(rowOfUser(u)).Error)
	})
}

// UpdateUser replaces a user except for the time of creation. Errors:
// ErrNotFound, ErrNameTaken.
func (s *Store) UpdateUser(ctx context.Context, u User) error {
	result := s.writing(ctx).Model(&userRow{}).Where("id = ?", u.ID).Select("*").
		Omit("id", "created_at").Updates(rowOfUser(u))
	return written("change the user "+u.Login, result, "login", u.Login)
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

func (s *Store) oneUser(ctx context.Context, where, value string) (User, error) {
	var row userRow
	err := s.reading(ctx).Where(where, value).Take(&row).Error
	return userOf(&row), failed("read the user "+value, err)
}

// Users reads all users, ordered by login.
func (s *Store) Users(ctx context.Context) ([]User, error) {
	var rows []userRow
	if err := s.reading(ctx).Order("login_folded").Find(&rows).Error; err != nil {
		return nil, failed("read the users", err)
	}
	users := make([]User, 0, len(rows))
	for i := range rows {
		users = append(users, userOf(&rows[i]))
	}
	return users, nil
}

// CountUsers returns the number of users; 0 means that the hub is not set up.
func (s *Store) CountUsers(ctx context.Context) (int64, error) {
	var count int64
	err := s.reading(ctx).Model(&userRow{}).Count(&count).Error
	return count, failed("count the users", err)
}

func rowOfUser(u User) *userRow {
	return &userRow{
		ID: u.ID, Login: u.Login, LoginFolded: strings.ToLower(u.Login), Name: u.Name, PasswordHash: u.PasswordHash,
		Role: u.Role, Lang: u.Lang, Theme: u.Theme, CreatedAt: millis(u.CreatedAt), UpdatedAt: millis(u.UpdatedAt),
		LastLoginAt: millis(u.LastLoginAt),
	}
}

func userOf(row *userRow) User {
	return User{
		ID: row.ID, Login: row.Login, Name: row.Name, PasswordHash: row.PasswordHash, Role: row.Role, Lang: row.Lang,
		Theme: row.Theme, CreatedAt: timeOf(row.CreatedAt), UpdatedAt: timeOf(row.UpdatedAt), LastLoginAt: timeOf(row.LastLoginAt),
	}
}
