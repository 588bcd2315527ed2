package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Stats is how a journal looks from outside.
type Stats struct {
	// Exists is false without a folder.
	Exists bool
	// Segments and Bytes count what is there.
	Segments int
	Bytes    int64
	// Known is the recorded damage that has not been removed yet, however old.
	Known []Damage
	// Unread is damage in segments that no hub has opened since.
	Unread []Damage
}

// Inspect looks at the journal in a folder without its key and changes nothing; a hub
// may write to it meanwhile.
func Inspect(dir string) (Stats, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return Stats{}, nil
	}
	s := Stats{Exists: true}
	records, err := readRecords(dir)
	if err != nil {
		return s, err
	}
	for _, r := range records {
		s.Known = append(s.Known, r.Damage)
	}
	paths, err := segmentPaths(dir)
	if err != nil {
		return s, fmt.Errorf("read the journal's folder: %w", err)
	}
	all, err := scanAll(paths, nil)
	if errors.Is(err, fs.ErrNotExist) { // a hub has just removed one
		all, err = nil, nil
	}
	if err != nil {
		return s, err
	}
	now := time.Now()
	judge(all, now)
	for _, f := range all {
		s.Segments++
		s.Bytes += f.size
		if f.bad != nil {
			f.bad.KeptAs = filepath.Join(dir, f.bad.Segment)
			s.Unread = append(s.Unread, *f.bad)
		}
	}
	s.Unread = append(s.Unread, missing(all, now)...)
	return s, nil
}
