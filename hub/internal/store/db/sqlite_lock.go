package db

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// sqliteLock keeps a second hub from a SQLite file. It ends with the process, however
// that ends.
type sqliteLock struct {
	// beside is the lock of versions that knew no other; file is the database itself, so
	// that no other name of it leads past the lock. flock does not meet the locks that
	// SQLite takes by fcntl; but closing a file ends those of the process, so it stays open
	// until SQLite has closed it.
	beside, file *os.File
}

// lockSQLite locks the database at path, which it makes if need be, readable by its owner
// alone.
func lockSQLite(path string) (*sqliteLock, error) {
	l := &sqliteLock{}
	var err error
	if l.beside, err = lockFile(path+".lock", path); err != nil {
		return nil, err
	}
	if l.file, err = lockFile(path, path); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func lockFile(path, database string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the database %s (may the hub's user write there?): %w", database, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the database %s is in use by another hub; several hubs share PostgreSQL, not SQLite: %w", database, err)
	}
	return f, nil
}

// close gives the database up. SQLite must have closed it.
func (l *sqliteLock) close() error {
	var errs []error
	for _, f := range []*os.File{l.file, l.beside} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
