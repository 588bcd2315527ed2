package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// Extension of a backup's file.
const Extension = ".evergrant-backup"

var named = regexp.MustCompile(`^evergrant-\d{8}T\d{6}Z(-\d+)?\.evergrant-backup$`)

// Save writes a backup to a path and reads it back; if the path is a folder, under a name
// of the time in it. A file that is there already is not overwritten. Nothing that is
// unfinished has the name of a backup.
func Save(ctx context.Context, src Source, path string) (file string, s Summary, err error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = freeName(path, time.Now())
	} else if err == nil {
		return "", s, fmt.Errorf("%s is there already; name another file, or a folder", path)
	}
	unfinished := path + ".unfinished"
	f, err := os.OpenFile(unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", s, fmt.Errorf("make the backup's file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(unfinished)
		}
	}()
	s, err = Write(ctx, src, f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", s, err
	}
	if _, err := Read(ctx, unfinished, src.Box); err != nil {
		return "", s, fmt.Errorf("the backup was written and cannot be read back; look at the disk: %w", err)
	}
	if err := os.Rename(unfinished, path); err != nil {
		return "", s, fmt.Errorf("name the backup: %w", err)
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", s, fmt.Errorf("name the backup: %w", err)
	}
	return path, s, errors.Join(folder.Sync(), folder.Close())
}

// freeName is a name in a folder that no file has.
func freeName(dir string, now time.Time) string {
	stem := filepath.Join(dir, "evergrant-"+now.UTC().Format("20060102T150405Z"))
	for n := 0; ; n++ {
		path := stem + Extension
		if n > 0 {
			path = fmt.Sprintf("%s-%d%s", stem, n, Extension)
		}
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
			return path
		}
	}
}

// List are the backups in a folder that Save has named, oldest first.
func List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the folder of backups: %w", err)
	}
	var found []string
	for _, e := range entries {
		if named.MatchString(e.Name()) && e.Type().IsRegular() {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	slices.Sort(found)
	return found, nil
}

// Prune removes all but the newest backups that Save has named in a folder; keep is at
// least 1. Other files are left alone.
func Prune(dir string, keep int) (removed []string, err error) {
	found, err := List(dir)
	if err != nil {
		return nil, err
	}
	for _, file := range found[:max(0, len(found)-max(keep, 1))] {
		if err := os.Remove(file); err != nil {
			return removed, fmt.Errorf("remove an old backup: %w", err)
		}
		removed = append(removed, file)
	}
	return removed, nil
}
