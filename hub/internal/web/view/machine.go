package view

import "time"

// Machine is what is to be known of clocks, copies and replicas.
type Machine struct {
	// Copied is set if the data folder looks copied.
	Copied bool
	// Clock is how clocks have stepped; nil while they are believed.
	Clock *Clock
	// Restored summarizes the state of the last restore of the database.
	Restored Restored
	// Notices are what was noticed about identities since the start.
	Notices  []IdentityNotice
	Replicas []Replica
}

// Clock is how far clocks have stepped.
type Clock struct{ Hub, Database time.Duration }

// IdentityNotice is a notice about the identity of a replica.
type IdentityNotice struct {
	// Kind is copied, fenced, doubled, database_back or folder_back.
	Kind string
	At   time.Time
	// Was is the replica of the folder, and Now what this hub is since.
	Was, Now string
}

// Replica is a run of a hub.
type Replica struct {
	Name, ID, Place, Version string
	Epoch                    int64
	// State is runs, silent, replaced or left.
	State  string
	This   bool
	SeenAt time.Time
}
