package store

import (
	"encoding/json"
)

// stateTrashed is the state of a row in the trash. It is no state of connection's: what
// is read from the trash has the state that it had.
const stateTrashed = "trashed"

// visible leaves out the trash.
const visible = "state <> 'trashed'"

// wasNamed is the name of a row, in the trash the one that it had.
const wasNamed = "CASE WHEN trash_name <> '' THEN trash_name ELSE name END"

// trashedName is the name of a row in the trash; no connection can be called so.
func trashedName(id string) string { return "trash:" + id }

// trashJSON is what columns of a trashed row are without the deletion.
type trashJSON struct {
	State    string `json:"state"`
	DueAt    int64  `json:"due_at"`
	PersonBy int64  `json:"person_by"`
	Cause    string `json:"cause,omitempty"`
}

// intoTrash moves what has the hub work for a connection, or count it, out of its columns.
func (r *connectionRow) intoTrash() {
	aside, _ := jsonText(trashJSON{State: r.State, DueAt: r.DueAt, PersonBy: r.PersonBy, Cause: r.FailureCause}) // plain fields cannot fail
	r.Trash, r.State, r.DueAt, r.PersonBy, r.FailureCause = aside, stateTrashed, 0, 0, ""
}

// outOfTrash is the opposite of intoTrash.
func (r *connectionRow) outOfTrash() {
	var aside trashJSON
	if err := json.Unmarshal([]byte(r.Trash), &aside); err != nil {
		aside = trashJSON{State: "paused"} // nothing is sent for what cannot be read
	}
	r.Trash, r.State, r.DueAt, r.PersonBy, r.FailureCause = "", aside.State, aside.DueAt, aside.PersonBy, aside.Cause
}
