package view

import "time"

// Audit is a page of the audit record.
type Audit struct {
	Form    AuditForm
	Records []AuditRecord
	// First is set for the newest page; Next is the address of the one after, "" if
	// there is none; Export that of all as CSV.
	First        bool
	Next, Export string
}

// AuditForm is what is looked for. From and To are days, both of them in.
type AuditForm struct {
	Actor, Act, Object, Outcome, From, To string
	// Wrong is what was given for a day and is none.
	Wrong string
}

// AuditRecord is one line of who did what.
type AuditRecord struct {
	Seq                       int64
	At                        time.Time
	ActorKind, Actor, Address string
	Act, Object               string
	// Outcome is begun, done, refused or failed; "" in records from before outcomes were
	// recorded.
	Outcome string
	Detail  map[string]string
}
