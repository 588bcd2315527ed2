package journal

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Damage is a part of the journal that could not be read.
type Damage struct {
	// Segment is the name of the file, without its folder.
	Segment string `json:"segment"`
	// KeptAs is the path that the file was moved to; "" if it was missing, or if it had to
	// make room for newer ones.
	KeptAs string `json:"kept_as,omitempty"`
	// Offset is the first byte that could not be read, Bytes counts those that could not.
	Offset int64 `json:"offset"`
	Bytes  int64 `json:"bytes"`
	// Noticed is when the journal was opened and the damage found.
	Noticed time.Time `json:"noticed"`
	// From and To bound the time in which operations may have begun whose replies were in
	// the damaged part. A zero From is no bound.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to"`
}

const (
	damagedFolder = "damaged"
	recordSuffix  = ".json"
	// mostDamaged and mostDamagedBytes bound what is kept aside.
	mostDamaged      = 16
	mostDamagedBytes = 64 << 20
	// mostRecords bounds what is known of damage.
	mostRecords = 256
	// damageLives is how long an operation may be open that began before the damage.
	damageLives = 24 * time.Hour
	// beganBefore is how long before its operation an intent may have begun: it may be
	// tried again.
	beganBefore = 15 * time.Minute
)

// record is a Damage and the file that records it.
type record struct {
	Damage
	path string
}

// Damages are those noticed in the last 24 hours, oldest first, by this run or an earlier
// one. One whose files in the folder "damaged" are removed counts no more.
func (j *Journal) Damages() []Damage {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.damages = slices.DeleteFunc(j.damages, func(r record) bool { return !r.counts(time.Now()) })
	all := make([]Damage, 0, len(j.damages))
	for _, r := range j.damages {
		all = append(all, r.Damage)
	}
	return all
}

// MayHaveLost reports whether the reply of an operation that began at a time may have
// been in a damaged part: what is not in the journal is not known to be without reply.
func (j *Journal) MayHaveLost(startedAt time.Time) bool {
	return slices.ContainsFunc(j.Damages(), func(d Damage) bool {
		return !startedAt.Before(d.From.Add(-beganBefore)) && !startedAt.After(d.To)
	})
}

// counts reports whether the damage is recent and its record still exists.
func (r record) counts(now time.Time) bool {
	if now.Sub(r.Noticed) >= damageLives {
		return false
	}
	if _, err := os.Lstat(r.path); errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if r.KeptAs == "" {
		return true
	}
	_, err := os.Lstat(r.KeptAs)
	return !errors.Is(err, fs.ErrNotExist)
}

// keepAside moves a damaged segment into its folder and notes what is known of it.
func (j *Journal) keepAside(path string, d Damage) error {
	dir := filepath.Join(j.home.dir, damagedFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keep a damaged segment of the journal: %w", err)
	}
	name := filepath.Join(dir, strings.TrimSuffix(d.Segment, segmentSuffix)+"."+d.Noticed.UTC().Format("20060102T150405.000000000Z"))
	if path != "" {
		d.KeptAs = name + segmentSuffix
	}
	r := record{Damage: d, path: name + recordSuffix}
	if err := r.write(); err != nil {
		return fmt.Errorf("keep a damaged segment of the journal: %w", err)
	}
	if path != "" {
		if err := errors.Join(os.Rename(path, d.KeptAs), syncDir(dir), syncDir(j.home.dir)); err != nil {
			return fmt.Errorf("keep a damaged segment of the journal: %w", err)
		}
	}
	j.damages = append(j.damages, r)
	j.log.Error("journal segment damaged, token responses may be lost; readable records are used",
		"segment", d.Segment, "kept_as", d.KeptAs, "offset", d.Offset, "bytes", d.Bytes, "from", d.From, "to", d.To)
	return nil
}

func (r record) write() error {
	data, err := json.MarshalIndent(r.Damage, "", "  ")
	if err != nil {
		return err
	}
	return writeDurably(r.path, append(data, '\n'))
}

// keepRecords writes what is known of damage into a folder that was made anew.
func (j *Journal) keepRecords() {
	if _, err := os.Lstat(filepath.Join(j.home.dir, damagedFolder)); err == nil || len(j.damages) == 0 {
		return
	}
	err := os.MkdirAll(filepath.Join(j.home.dir, damagedFolder), 0o700)
	for i := range j.damages {
		j.damages[i].KeptAs = ""
		err = errors.Join(err, j.damages[i].write())
	}
	if err != nil {
		j.log.Warn("write journal damage report failed", "error", err)
	}
}

// readRecords reads what earlier runs have noted, oldest first.
func readRecords(dir string) ([]record, error) {
	dir = filepath.Join(dir, damagedFolder)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read what is known of damage to the journal: %w", err)
	}
	var all []record
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), recordSuffix) {
			continue
		}
		r := record{path: filepath.Join(dir, e.Name())}
		data, err := os.ReadFile(r.path)
		if err == nil {
			err = json.Unmarshal(data, &r.Damage)
		}
		if err != nil { // the record of damage may itself be damaged
			r.Damage = Damage{Segment: e.Name(), To: time.Now(), Noticed: time.Now()}
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b record) int { return cmp.Or(a.Noticed.Compare(b.Noticed), cmp.Compare(a.path, b.path)) })
	return all, nil
}

// pruneDamaged removes the oldest of what is kept aside where there is too much.
func (j *Journal) pruneDamaged() {
	var files, bytes int64
	for i, r := range slices.Backward(j.damages) {
		if len(j.damages)-i > mostRecords {
			_ = os.Remove(r.path)
		}
		info, err := os.Lstat(r.KeptAs)
		if r.KeptAs == "" || err != nil {
			continue
		}
		files, bytes = files+1, bytes+info.Size()
		if files <= mostDamaged && (files == 1 || bytes <= mostDamagedBytes) {
			continue
		}
		bytes -= info.Size()
		j.log.Warn("damaged journal segment dropped to stay within the limit", "file", r.KeptAs)
		err = os.Remove(r.KeptAs)
		j.damages[i].KeptAs = ""
		if err = errors.Join(err, j.damages[i].write()); err != nil {
			j.log.Warn("drop damaged journal segment failed", "error", err)
		}
	}
}
