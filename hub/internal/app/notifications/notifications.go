package notifications

import (
	"fmt"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// Options of Notifications.
type Options struct {
	Store      *store.Store
	Escalation *escalation.Escalation
	Recorder   *act.Recorder
	// PublicURL is the hub's address in the preview of a text.
	PublicURL string
}

// Notifications are the acts on who is told, and how. It is safe for concurrent use.
type Notifications struct{ o Options }

// New returns Notifications.
func New(o Options) *Notifications { return &Notifications{o: o} }

// manage is an act on something that has a title or an id.
func manage(kind, name string, a act.Act) act.Act {
	if len(name) > mostName {
		name = strings.ToValidUTF8(name[:mostName], "")
	}
	a.Needs, a.On = access.ActManage, audit.Object{Kind: kind, Name: name}
	return a
}

// mostName bounds a name in a record, in bytes: what was entered may be of any length.
const mostName = 200

// What is wrong with a field.
const (
	Missing = "missing"
	Invalid = "invalid"
	// Taken is a title that another one has.
	Taken = "taken"
	// Again is a stored secret that would be sent to another host: it has to be entered
	// again.
	Again = "again"
)

// Problem is what is wrong with a field of a draft.
type Problem struct {
	// Field is as forms name it: title, settings.token, address. and a channel's id.
	Field string
	Code  string
	// From and To are the hosts of Again.
	From, To string
}

// InvalidError is a draft that cannot be kept as it is.
type InvalidError struct{ Problems []Problem }

// Error implements error. It quotes nothing that was entered.
func (e *InvalidError) Error() string {
	said := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		said = append(said, fmt.Sprintf("%s: %s", p.Field, p.Code))
	}
	return "what was entered cannot be kept as it is: " + strings.Join(said, ", ")
}

// Refusal marks it for the audit record.
func (e *InvalidError) Refusal() bool { return true }

func (e *InvalidError) add(field, code string) {
	e.Problems = append(e.Problems, Problem{Field: field, Code: code})
}

// orNil is the error, if there is anything wrong.
func (e *InvalidError) orNil() error {
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}
