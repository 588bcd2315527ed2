package db

import (
	"errors"
	"fmt"

	"gorm.io/gorm"
)

// Errors that callers distinguish with errors.Is. Every other error is one of the
// database.
var (
	// ErrNotFound: there is no such row.
	ErrNotFound = errors.New("not found")
	// ErrExpired is an ErrNotFound: the row was there, but its time had passed.
	ErrExpired = fmt.Errorf("expired: %w", ErrNotFound)
	// ErrNameTaken: a unique name is in use; it is a *NameTakenError.
	ErrNameTaken = errors.New("the name is taken")
	// ErrStale: the generation has moved on, so what was decided is void.
	ErrStale = errors.New("it has been changed meanwhile; read it again")
	// ErrFenced is an ErrStale: this epoch of a replica is not the newest, or the database
	// does not know it.
	ErrFenced = fmt.Errorf("this run of the hub is not the current one of its replica: %w", ErrStale)
	// ErrInUse: other rows depend on it, or there is one already.
	ErrInUse = errors.New("in use")
)

// NameTakenError is ErrNameTaken with the field to show it at.
type NameTakenError struct {
	// Field is "name", "login" or "credential".
	Field string
	// Value is the value that is taken.
	Value string
}

// Error implements error.
func (e *NameTakenError) Error() string {
	return fmt.Sprintf("the %s %q is taken; choose another one", e.Field, e.Value)
}

// Is makes it an ErrNameTaken.
func (e *NameTakenError) Is(target error) bool { return target == ErrNameTaken }

// Failed adds what was attempted; nil stays nil, and a missing row is ErrNotFound.
func Failed(tried string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, gorm.ErrRecordNotFound), errors.Is(err, gorm.ErrForeignKeyViolated):
		return fmt.Errorf("%s: %w", tried, ErrNotFound)
	default:
		return fmt.Errorf("%s: %w", tried, err)
	}
}

// Written is failed for a statement that has to change a row; field and value
// name what may be taken.
func Written(tried string, result *gorm.DB, field, value string) error {
	if errors.Is(result.Error, gorm.ErrDuplicatedKey) {
		return fmt.Errorf("%s: %w", tried, &NameTakenError{Field: field, Value: value})
	}
	return Changed(tried, result)
}

// Changed is failed for a statement that has to change a row.
func Changed(tried string, result *gorm.DB) error {
	if result.Error == nil && result.RowsAffected == 0 {
		return fmt.Errorf("%s: %w", tried, ErrNotFound)
	}
	return Failed(tried, result.Error)
}
