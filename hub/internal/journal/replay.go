package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// found is a segment of an earlier run.
type found struct {
	scanned
	path string
	// old is set for the one file of the format before.
	old bool
	// bad is the damage, nil without any.
	bad *Damage
}

// replay reads what the folder holds, and begins a segment with all that is pending. Then
// what is damaged is kept aside and the rest removed.
func (j *Journal) replay() error {
	all, err := j.readSegments()
	if err != nil {
		return err
	}
	old, err := readOld(filepath.Join(j.home.dir, oldName), j.box)
	if err != nil {
		return err
	}
	if old != nil {
		all = slices.Insert(all, 0, *old)
	}
	if err := fits(all, j.home.dir); err != nil {
		return err
	}
	now := time.Now()
	judge(all, now)
	last := uint64(0)
	for _, f := range all {
		for _, frame := range f.frames {
			j.apply(frame.frame, nil, 0)
		}
		last = max(last, f.header.sequence)
	}
	begun, err := j.beginWhole(last + 1)
	if err != nil {
		return err
	}
	j.segments = []*segment{begun}
	if j.damages, err = readRecords(j.home.dir); err != nil {
		return err
	}
	return j.putAway(all, now)
}

func (j *Journal) readSegments() ([]found, error) {
	paths, err := segmentPaths(j.home.dir)
	if err != nil {
		return nil, fmt.Errorf("read the journal's folder: %w", err)
	}
	return scanAll(paths, j.box)
}

func scanAll(paths []string, box Sealer) ([]found, error) {
	all := make([]found, 0, len(paths))
	for _, path := range paths {
		data, err := readAll(path)
		if err != nil {
			return nil, fmt.Errorf("read the journal: %w", err)
		}
		sequence, _ := sequenceOf(filepath.Base(path))
		s, err := scan(data, sequence, box)
		if err != nil {
			return nil, err
		}
		all = append(all, found{path: path, scanned: s})
	}
	return all, nil
}

// fits fails if the key opens nothing of what is there.
func fits(all []found, dir string) error {
	refused := false
	for _, f := range all {
		if len(f.frames) > 0 {
			return nil
		}
		refused = refused || f.refused > 0
	}
	if refused {
		return fmt.Errorf("the journal was sealed with a key that this hub does not have (restore the key file; if nothing of an earlier hub is needed, move %s away)", dir)
	}
	return nil
}

// judge finds the damage. A torn frame that a crash leaves at the very end of the last
// segment is none: its append had not returned.
func judge(all []found, now time.Time) {
	whole := -1 // the last segment that begins with all that was pending
	for i, f := range all {
		if f.header.whole && f.copyIsWhole() {
			whole = i
		}
	}
	for i := range all {
		f := &all[i]
		last := i == len(all)-1
		cut := i > whole && !last && !f.closed() // its end was durable before the next one began
		lacks := f.headed && !f.copyIsWhole()
		if f.first < 0 && !cut && !lacks {
			continue
		}
		f.bad = &Damage{Segment: filepath.Base(f.path), Offset: f.first, Bytes: f.skipped, Noticed: now, From: since(all, i), To: now}
		if f.first < 0 {
			f.bad.Offset = f.tail
		}
		if cut || lacks {
			f.bad.Bytes += f.size - f.tail
		}
		if !last && all[i+1].headed {
			f.bad.To = all[i+1].header.created
		}
	}
}

// closed reports whether nothing is missing at the end.
func (f *found) closed() bool {
	if f.old {
		return f.tail == f.size
	}
	return f.ended && f.tail == f.size
}

// since is the earliest start of an operation that has frames in a segment; zero if
// unknown.
func since(all []found, i int) time.Time {
	for ; i >= 0; i-- {
		if all[i].headed {
			return all[i].header.since
		}
	}
	return time.Time{}
}

// missing are the segments that are not there between two that are.
func missing(all []found, now time.Time) (gaps []Damage) {
	for i := 1; i < len(all); i++ {
		a, b := all[i-1], all[i]
		if a.old || b.header.whole || b.header.sequence <= a.header.sequence+1 {
			continue
		}
		d := Damage{Segment: segmentName(a.header.sequence + 1), Noticed: now, From: since(all, i-1), To: now}
		if b.headed {
			d.To = b.header.created
		}
		gaps = append(gaps, d)
	}
	return gaps
}

// putAway removes the files that the first segment of this run replaces.
func (j *Journal) putAway(all []found, now time.Time) error {
	for _, d := range missing(all, now) {
		if err := j.keepAside("", d); err != nil {
			return err
		}
	}
	for _, f := range all {
		if f.bad != nil {
			if err := j.keepAside(f.path, *f.bad); err != nil {
				return err
			}
			continue
		}
		if err := os.Remove(f.path); err != nil {
			return fmt.Errorf("remove a segment of the journal that is not needed: %w", err)
		}
	}
	j.pruneDamaged()
	j.removeLeftovers()
	return nil
}

// removeLeftovers removes what an earlier run did not give its name.
func (j *Journal) removeLeftovers() {
	entries, _ := os.ReadDir(j.home.dir)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".new") || strings.HasPrefix(e.Name(), ".try-") {
			_ = os.Remove(filepath.Join(j.home.dir, e.Name()))
		}
	}
}
