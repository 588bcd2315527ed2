package journal

import (
	"os"

	"github.com/hashicorp/go-hclog"
)

// OpenSized is Open with a limit for a segment.
func OpenSized(dir string, box Sealer, log hclog.Logger, limit int64) (*Journal, error) {
	return open(dir, box, log, limit, realDisk())
}

// OpenFaulty is Open on a disk whose writes and syncs are asked before they are done.
func OpenFaulty(dir string, box Sealer, before func(op string) error) (*Journal, error) {
	d := realDisk()
	return open(dir, box, nil, segmentLimit, disk{
		write: func(f *os.File, b []byte, at int64) error {
			if err := before("write"); err != nil {
				_ = d.write(f, b[:len(b)/2], at)
				return err
			}
			return d.write(f, b, at)
		},
		sync: func(f *os.File) error {
			if err := before("sync"); err != nil {
				return err
			}
			return d.sync(f)
		},
	})
}

// Scan reads a segment and returns the operations and steps of its replies.
func Scan(data []byte, sequence uint64, box Sealer) (replies map[string]string, damaged bool, err error) {
	s, err := scan(data, sequence, box)
	replies = map[string]string{}
	for _, f := range s.frames {
		if f.kind == kindReply {
			replies[f.op] = string(f.payload)
		}
	}
	return replies, s.first >= 0, err
}

// IsOthers reports whether a file in the journal's folder counts as another hub's, for a
// journal that has no segments there.
func IsOthers(path string) bool { return isOthers(path, nil) }
