package journal

import (
	"fmt"
	"slices"
)

// slackSegments is how many segments there may be beside twice what is pending.
const slackSegments = 4

// roll ends the last segment and begins another one. The oldest segments of which little
// is pending go: the rest of them is copied first.
func (j *Journal) roll() error {
	if err := j.home.holds(j.last()); err != nil {
		return err
	}
	if err := j.end(); err != nil {
		return err
	}
	n, copied := j.oldest()
	d, err := j.copyOf(j.last().sequence+1, copied, false)
	if err != nil {
		return err
	}
	s, err := j.create(d)
	if err != nil {
		return err
	}
	old := slices.Clone(j.segments[:n])
	j.segments = append(slices.Delete(j.segments, 0, n), s)
	j.synced = j.written
	j.removed(old)
	return nil
}

// end makes the last segment durable, closed by an end frame.
func (j *Journal) end() error {
	s := j.last()
	data, err := frame{kind: kindEnd, number: s.number}.appendTo(nil, j.box, s.sequence)
	if err != nil {
		return err
	}
	if err = j.disk.write(s.file, data, s.size); err == nil {
		err = j.disk.sync(s.file)
	}
	if err != nil {
		return fmt.Errorf("end the journal's segment %s (is the disk full?): %w", s.path, err)
	}
	s.size += int64(len(data))
	s.number++
	_ = s.file.Close()
	s.file = nil
	return nil
}

// oldest counts the segments that are to go, and returns what is pending in them. The
// last one stays: most of what is pending in it is done soon.
func (j *Journal) oldest() (n int, copied []*entry) {
	var size, live int64
	for _, s := range j.segments {
		size += s.size
		live += s.live
	}
	gone := map[*segment]int64{} // what is pending in a segment is copied already
	taken := map[*entry]bool{}
	for _, s := range j.segments[:len(j.segments)-1] {
		left := s.live - gone[s]
		if 2*left > s.size && size <= 2*live+slackSegments*j.limit {
			break
		}
		for _, e := range j.pending {
			if e.takes[s] == 0 || taken[e] {
				continue
			}
			taken[e] = true
			copied = append(copied, e)
			for in, bytes := range e.takes {
				gone[in] += bytes
			}
		}
		size -= s.size - left
		n++
	}
	return n, copied
}
