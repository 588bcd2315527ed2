package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// segment is a file of the journal.
type segment struct {
	header
	path string
	info os.FileInfo
	// file is nil once the segment is followed by another one.
	file *os.File
	// size counts its bytes, live those of operations that are not done.
	size, live int64
	// number is that of the next frame.
	number uint32
}

// disk is how files are written; tests put faults in its place.
type disk struct {
	write func(f *os.File, b []byte, at int64) error
	sync  func(f *os.File) error
}

func realDisk() disk {
	return disk{
		write: func(f *os.File, b []byte, at int64) error { _, err := f.WriteAt(b, at); return err },
		sync:  (*os.File).Sync,
	}
}

// draft is a segment that has no name yet.
type draft struct {
	header header
	frames []byte
	// entries are the operations copied into it, and what each takes.
	entries []*entry
	sizes   []int64
}

// copyOf drafts a segment that begins with some of the operations.
func (j *Journal) copyOf(sequence uint64, entries []*entry, whole bool) (draft, error) {
	now := time.Now()
	d := draft{header: header{sequence: sequence, whole: whole, created: now, since: now}, entries: entries}
	for _, e := range j.pending {
		if e.began.Before(d.header.since) {
			d.header.since = e.began
		}
	}
	for _, e := range entries {
		before := len(d.frames)
		if err := d.copy(j.box, e); err != nil {
			return draft{}, err
		}
		d.sizes = append(d.sizes, int64(len(d.frames)-before))
	}
	return d, nil
}

func (d *draft) copy(box Sealer, e *entry) error {
	put := func(f frame) (err error) {
		f.op, f.number = e.ID, d.header.copied
		d.header.copied++
		d.frames, err = f.appendTo(d.frames, box, d.header.sequence)
		return err
	}
	if err := put(frame{kind: kindCopied, at: e.began.UnixNano(), payload: e.Meta}); err != nil {
		return err
	}
	if e.Sending {
		if err := put(frame{kind: kindSending}); err != nil {
			return err
		}
	}
	for step, reply := range e.Replies {
		if err := put(frame{kind: kindReply, step: uint32(step), payload: reply}); err != nil {
			return err
		}
	}
	return nil
}

// create writes a segment and gives it its name once it is durable.
func (j *Journal) create(d draft) (*segment, error) {
	s := &segment{header: d.header, path: filepath.Join(j.home.dir, segmentName(d.header.sequence)), number: d.header.copied}
	tmp := s.path + ".new"
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("begin a segment of the journal: %w", err)
	}
	data := append(d.header.appendTo(nil), d.frames...)
	if err = j.disk.write(f, data, 0); err == nil {
		err = j.disk.sync(f)
	}
	if err == nil {
		s.info, err = f.Stat()
	}
	named := tmp
	if err == nil {
		if err = os.Rename(tmp, s.path); err == nil {
			named = s.path
			err = syncDir(j.home.dir)
		}
	}
	if err != nil {
		err = errors.Join(err, f.Close())
		_ = os.Remove(named) // a segment that is not counted would be taken for another hub's
		return nil, fmt.Errorf("begin a segment of the journal %s (is the disk full?): %w", j.home.dir, err)
	}
	s.file, s.size = f, int64(len(data))
	for i, e := range d.entries {
		e.release()
		e.keep(s, d.sizes[i])
	}
	return s, nil
}

// remove deletes the file of a segment, if it is still the one that was written.
func (s *segment) remove() error {
	if s.file != nil {
		_ = s.file.Close()
		s.file = nil
	}
	if err := sameFile(s.path, s.info); err != nil {
		return nil //nolint:nilerr // it is gone, or another one, which is not ours to remove
	}
	return os.Remove(s.path)
}

// sameFile reports whether a path still leads to a file.
func sameFile(path string, info os.FileInfo) error {
	now, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !os.SameFile(now, info) {
		return fmt.Errorf("%s was replaced by another file", path)
	}
	return nil
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
