package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"
)

// put applies a frame and writes it, and returns its number. It is in memory also after
// an error; a Done is not worth more than a try.
func (j *Journal) put(f frame) (uint64, error) {
	if j.closed {
		return 0, errClosed
	}
	if j.broken == nil && j.last().size >= j.limit {
		j.broken = j.roll()
	}
	if j.broken == nil {
		s := j.last()
		f.number = s.number
		data, err := f.appendTo(nil, j.box, s.sequence)
		if err != nil {
			return 0, err
		}
		if err := j.disk.write(s.file, data, s.size); err == nil {
			s.size += int64(len(data))
			s.number++
			j.written++
			j.apply(f, s, int64(len(data)))
			return j.written, nil
		} else { //nolint:revive // err belongs to the write
			// Nothing is written behind what may be half a frame.
			j.broken = fmt.Errorf("write to the journal %s (is the disk full?): %w", s.path, err)
		}
	}
	j.written++
	j.apply(f, nil, 0)
	if f.kind == kindDone {
		return j.written, nil
	}
	return j.written, j.renew()
}

// apply brings what is pending up to a frame; n bytes of a segment hold it.
func (j *Journal) apply(f frame, s *segment, n int64) {
	e := j.pending[f.op]
	switch {
	case f.kind == kindEnd:
		return
	case f.kind == kindDone:
		j.forget(f.op)
		return
	case e == nil || f.kind == kindBegin:
		j.forget(f.op)
		e = &entry{Operation: Operation{ID: f.op, Replies: map[int][]byte{}}, began: time.Now(), takes: map[*segment]int64{}}
		j.pending[f.op] = e
	}
	switch f.kind {
	case kindReply:
		e.Replies[int(f.step)] = f.payload
	case kindSending:
		e.Sending = true
	default:
		e.Meta, e.began = f.payload, time.Unix(0, f.at)
	}
	if s != nil {
		e.keep(s, n)
	}
}

func (j *Journal) forget(op string) {
	if e, ok := j.pending[op]; ok {
		e.release()
		delete(j.pending, op)
	}
}

// sync returns when frame n is on disk, in a segment that is linked by its name. All
// callers that wait while an fsync runs are served by the next one.
func (j *Journal) sync(n uint64) error {
	j.syncMu.Lock()
	defer j.syncMu.Unlock()
	j.mu.Lock()
	if j.synced >= n || j.closed || j.broken != nil {
		defer j.mu.Unlock()
		return j.settled(n)
	}
	upTo, s := j.written, j.last()
	file := s.file
	j.mu.Unlock()
	err := j.disk.sync(file)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.synced >= n {
		return nil // another segment was begun, which made this one durable
	}
	if err == nil {
		err = j.home.holds(s)
	}
	if err == nil && j.broken == nil {
		j.synced = upTo
		return nil
	}
	if err == nil {
		return j.renew()
	}
	// After a failed fsync the page cache may report that all is written, so it is not
	// retried.
	j.broken = fmt.Errorf("fsync the journal %s: %w", s.path, err)
	return j.renew()
}

// settled is sync where there is no segment to sync.
func (j *Journal) settled(n uint64) error {
	switch {
	case j.synced >= n:
		return nil
	case j.closed:
		return errClosed
	}
	return j.renew()
}

// ensure reports whether replies can be made durable, after it has mended what it can.
func (j *Journal) ensure() error {
	if j.closed {
		return errClosed
	}
	if j.broken == nil {
		j.broken = j.home.holds(j.last())
	}
	if j.broken == nil {
		return nil
	}
	return j.renew()
}

// renewTries is how often a segment is begun in a folder that is taken away meanwhile.
const renewTries = 8

// renew begins a segment with all that is pending and abandons those before it. Until it
// succeeds no write is durable.
func (j *Journal) renew() (err error) {
	for range renewTries {
		if err = j.renewOnce(); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("replies cannot be made durable: %w (%w)", err, j.broken)
	}
	return nil
}

func (j *Journal) renewOnce() error {
	if err := j.home.retake(j.segments); err != nil {
		return err
	}
	s, err := j.beginWhole(j.last().sequence + 1)
	if err != nil {
		return err
	}
	if j.home.moved && j.onMoved != nil {
		j.home.moved = false
		j.onMoved()
	}
	old, cause := j.segments, j.broken
	j.segments, j.synced, j.broken = []*segment{s}, j.written, nil
	j.removed(old)
	j.keepRecords()
	j.log.Warn("journal rotated to a new segment", "segment", s.path, "operations", len(j.pending), "because", cause)
	return nil
}

// beginWhole begins a segment with all that is pending.
func (j *Journal) beginWhole(sequence uint64) (*segment, error) {
	d, err := j.copyOf(sequence, slices.Collect(maps.Values(j.pending)), true)
	if err != nil {
		return nil, err
	}
	return j.create(d)
}

// removed deletes segments that are not needed any more. A file that stays costs one more
// read at the next start.
func (j *Journal) removed(old []*segment) {
	for _, s := range old {
		if err := s.remove(); err != nil {
			j.log.Warn("remove obsolete journal segment failed", "segment", s.path, "error", err)
		}
	}
}

// dropDone removes the oldest segments while nothing in them is pending. One that is
// younger stays: what it closes may be in an older one.
func (j *Journal) dropDone() {
	n := 0
	for n < len(j.segments)-1 && j.segments[n].live == 0 {
		n++
	}
	if n > 0 {
		j.removed(j.segments[:n])
		j.segments = slices.Delete(j.segments, 0, n)
	}
}
