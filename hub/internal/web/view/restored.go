package view

import "time"

// Restored is the state of the last restore of the database.
type Restored struct {
	// Cause is backup, database or token_sets; "" if none was noticed.
	Cause, By    string
	At, BackupAt time.Time
	// Held is set while rotating renewals wait for replicas, until a time at most.
	Held           bool
	Until, EndedAt time.Time
	Replicas       []ComparedReplica
	// Missing counts those that have not compared, Forwarded the connections that were
	// brought forward.
	Missing, Forwarded int
	// Behind are some of the grants that wait for a decision, BehindTotal counts all.
	Behind      []BehindGrant
	BehindTotal int
	// Withdrawn counts what is known to have been withdrawn and is back.
	Withdrawn int
}

// ComparedReplica is how far a replica has got; a zero time is waited for, or never came.
type ComparedReplica struct {
	Name, ID   string
	ComparedAt time.Time
	Forwarded  int
}

// BehindGrant is a grant that may be behind the backup.
type BehindGrant struct {
	Name, Title string
	Service     ServiceRef
	// Reason is due, expired, renewing or authorized.
	Reason string
	// ValidUntil ends its access token; zero is not known.
	ValidUntil time.Time
}

// BehindDecision is a decision that has to be confirmed.
type BehindDecision struct {
	// Decision is try_once or send_links.
	Decision string
	All      bool
	// Names are the chosen connections; Count counts them, or all.
	Names []string
	Count int
}

// WithdrawnThing is something that was withdrawn and is back.
type WithdrawnThing struct {
	// Act is as in the audit record, with "_" for ".".
	Act, Object, Title string
	At                 time.Time
	// Problem is why it could not be withdrawn again; "" before the act.
	Problem string
}
