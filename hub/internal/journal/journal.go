package journal

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Sealer encrypts what is written; *seal.Box is one. The associated data binds
// a ciphertext to its place.
type Sealer interface {
	Seal(plain []byte, table, id, column string) ([]byte, error)
	Open(sealed []byte, table, id, column string) ([]byte, error)
}

// Journal is the folder of segments. Its methods are safe for concurrent use.
type Journal struct {
	box  Sealer
	log  hclog.Logger
	disk disk
	home *home
	// limit is the size of a segment, in bytes, from which another one is begun.
	limit int64

	mu       sync.Mutex        // guards what follows and the order of writes
	segments []*segment        // oldest first; the last one is written to
	written  uint64            // count of frames written
	synced   uint64            // count of frames known to be on the disk
	pending  map[string]*entry // bounded by the operations in flight
	// broken is why the last segment cannot be written to: all that is pending goes into
	// a new one before anything else is promised.
	broken  error
	closed  bool
	damages []record
	// onMoved is called when the folder was recreated; may be nil.
	onMoved func()
	// marksSince is from when on a mark of Sending cannot have been lost.
	marksSince time.Time

	syncMu sync.Mutex // held during fsync; queueing on it is the group commit
}

// Operation is the journal's record of an operation that is not done.
type Operation struct {
	ID string
	// Meta is what Begin was given.
	Meta []byte
	// Sending is set if a request was about to be written.
	Sending bool
	// Replies by step; a gap is a step without a reply.
	Replies map[int][]byte
}

// entry is an operation and where it is on the disk.
type entry struct {
	Operation
	began time.Time
	takes map[*segment]int64
}

// keep counts bytes of the operation in a segment.
func (e *entry) keep(s *segment, n int64) {
	e.takes[s] += n
	s.live += n
}

// release gives the bytes of the operation up.
func (e *entry) release() {
	for s, n := range e.takes {
		s.live -= n
	}
	clear(e.takes)
}

// segmentLimit is the size of a segment from which another one is begun.
const segmentLimit = 4 << 20

var errClosed = errors.New("the journal is closed")

// Open reads the journal in dir, which it creates if needed, and locks it. Damage is
// skipped and moved aside, with one Error line for each damaged segment; see Damages. A
// journal that the key does not open is left unchanged.
func Open(dir string, box Sealer, log hclog.Logger) (*Journal, error) {
	return open(dir, box, log, segmentLimit, realDisk())
}

func open(dir string, box Sealer, log hclog.Logger, limit int64, d disk) (*Journal, error) {
	h, err := enter(dir)
	if err != nil {
		return nil, err
	}
	if log == nil {
		log = hclog.NewNullLogger()
	}
	j := &Journal{box: box, log: log, disk: d, home: h, limit: limit, pending: map[string]*entry{}}
	if err := j.replay(); err != nil {
		return nil, errors.Join(err, h.lock.Close())
	}
	j.marksSince = marksSince(dir, j.Place(), time.Now())
	return j, nil
}

// Replica is the id of the hub that owns this journal.
func (j *Journal) Replica() string { return j.Mark().Replica }

// OnMoved has f called when the folder was made anew, which changes the journal's Place.
// It must not wait.
func (j *Journal) OnMoved(f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.onMoved = f
}

// Begin opens an operation; one that is open already keeps what it has. meta is
// whatever is needed to finish it later; it is sealed. It need not be durable by
// itself: the first Append makes it so. It fails where replies cannot be made durable:
// the folder is gone and cannot be made anew, or the disk takes no writes.
func (j *Journal) Begin(op string, meta []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.ensure(); err != nil {
		return err
	}
	if _, ok := j.pending[op]; ok {
		return nil
	}
	_, err := j.put(frame{kind: kindBegin, op: op, at: time.Now().UnixNano(), payload: meta})
	if err != nil {
		j.forget(op)
	}
	return err
}

// Append adds the reply of a step and returns once it is durable, in a segment that is
// still in its place. After an error the reply is kept in memory, and written with the
// next segment that can be begun.
func (j *Journal) Append(op string, step int, reply []byte) error {
	j.mu.Lock()
	n, err := j.put(frame{kind: kindReply, op: op, step: uint32(step), payload: reply})
	j.mu.Unlock()
	if err != nil {
		return err
	}
	return j.sync(n)
}

// Done closes an operation: its outcome is saved elsewhere, or it has none.
func (j *Journal) Done(op string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, ok := j.pending[op]; !ok || j.closed {
		return
	}
	// A lost Done costs one more read at the next start, so it is neither synced nor an
	// error.
	_, _ = j.put(frame{kind: kindDone, op: op})
	j.dropDone()
}

// Pending returns the operations that are not done, oldest id first.
func (j *Journal) Pending() []Operation {
	j.mu.Lock()
	defer j.mu.Unlock()
	ops := make([]Operation, 0, len(j.pending))
	for _, e := range j.pending {
		ops = append(ops, e.clone())
	}
	slices.SortFunc(ops, func(a, b Operation) int { return strings.Compare(a.ID, b.ID) })
	return ops
}

// Operation returns what is known of one that is not done.
func (j *Journal) Operation(id string) (Operation, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e, ok := j.pending[id]
	if !ok {
		return Operation{}, false
	}
	return e.clone(), true
}

func (o *Operation) clone() Operation {
	c := Operation{ID: o.ID, Meta: o.Meta, Sending: o.Sending, Replies: make(map[int][]byte, len(o.Replies))}
	maps.Copy(c.Replies, o.Replies)
	return c
}

// Close ends the last segment and unlocks the folder. Later writes fail.
func (j *Journal) Close() error {
	j.syncMu.Lock() // an fsync that runs is waited for
	defer j.syncMu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	var err error
	if len(j.pending) > 0 {
		err = j.ensure() // what is pending is needed by the next run
	}
	if j.broken == nil {
		err = errors.Join(err, j.end())
	}
	j.closed = true
	if file := j.last().file; file != nil {
		err = errors.Join(err, file.Close())
	}
	return errors.Join(err, j.home.lock.Close())
}

func (j *Journal) last() *segment { return j.segments[len(j.segments)-1] }
