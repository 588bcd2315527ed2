package grantdb

import (
	"encoding/json"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// StateTrashed is the state of a row in the trash. It is no state of connection's: what
// is read from the trash has the state that it had.
const StateTrashed = "trashed"

// Visible leaves out the trash.
const Visible = "state <> 'trashed'"

// WasNamed is the name of a row, in the trash the one that it had.
const WasNamed = "CASE WHEN trash_name <> '' THEN trash_name ELSE name END"

// trashedName is the name of a row in the trash; no connection can be called so.
func trashedName(id string) string { return "trash:" + id }

// trashJSON is what columns of a trashed row are without the deletion.
type trashJSON struct {
	State    string `json:"state"`
	DueAt    int64  `json:"due_at"`
	PersonBy int64  `json:"person_by"`
	Cause    string `json:"cause,omitempty"`
}

// IntoTrash moves what has the hub work for a connection, or count it, out of its columns.
func (r *ConnectionRow) IntoTrash() {
	aside, _ := db.JSONText(trashJSON{State: r.State, DueAt: r.DueAt, PersonBy: r.PersonBy, Cause: r.FailureCause}) // plain fields cannot fail
	r.Trash, r.State, r.DueAt, r.PersonBy, r.FailureCause = aside, StateTrashed, 0, 0, ""
}

// OutOfTrash is the opposite of intoTrash.
func (r *ConnectionRow) OutOfTrash() {
	var aside trashJSON
	if err := json.Unmarshal([]byte(r.Trash), &aside); err != nil {
		aside = trashJSON{State: "paused"} // nothing is sent for what cannot be read
	}
	r.Trash, r.State, r.DueAt, r.PersonBy, r.FailureCause = "", aside.State, aside.DueAt, aside.PersonBy, aside.Cause
}
