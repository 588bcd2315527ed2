package store

import (
	"fmt"
	"os"
	"syscall"
)

// lockFile keeps a second hub from a SQLite file. The lock ends with the
// process, however that ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the database %s is in use by another hub; several hubs share PostgreSQL, not SQLite: %w", path, err)
	}
	return f, nil
}
