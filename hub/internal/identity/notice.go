package identity

import (
	"slices"
	"time"
)

// Kind is the kind of a Notice.
type Kind string

// The kinds.
const (
	// Copied: the folder is a copy or an older one; this hub is a new replica.
	Copied Kind = "copied"
	// Fenced: another hub was started with this one's identity while it ran.
	Fenced Kind = "fenced"
	// Doubled: another process gives this run's signs of life.
	Doubled Kind = "doubled"
	// DatabaseBack: the database is older than the folder.
	DatabaseBack Kind = "database_back"
	// FolderBack: the folder is older than the database.
	FolderBack Kind = "folder_back"
)

// Notice is something about identities that people should know.
type Notice struct {
	Kind Kind
	At   time.Time
	// Replica and Epoch are the folder's; Newest is the epoch in the database, and Now
	// the hub's name since.
	Replica string
	Epoch   int64
	Newest  int64
	Now     string
}

// mostNotices bounds what is remembered.
const mostNotices = 20

// Notices are what was noticed since the start, oldest first.
func (i *Identity) Notices() []Notice {
	i.noticeMu.Lock()
	defer i.noticeMu.Unlock()
	return slices.Clone(i.notices)
}

func (i *Identity) notice(n Notice) {
	n.At = time.Now()
	i.noticeMu.Lock()
	i.notices = append(i.notices, n)
	i.notices = i.notices[max(0, len(i.notices)-mostNotices):]
	i.noticeMu.Unlock()
	if i.o.Noticed != nil {
		i.o.Noticed(n)
	}
}
