package act

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/servicedb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// ErrNotAllowed is returned by an act that its caller may not do.
var ErrNotAllowed = errors.New("this is not allowed")

// Act describes what is about to be done.
type Act struct {
	// Name is the kind of the object and the verb, such as connection.pause.
	Name string
	// Needs is the permission; "" is for acts that check who may do them by themselves.
	Needs access.Act
	// On is what is acted on, as far as it is known before.
	On audit.Object
	// Detail are pairs of a name and its value, for the record. Never a secret.
	Detail []string
}

// Entry is the record of an act under way.
type Entry struct {
	on      audit.Object
	detail  []string
	refused string
	quiet   bool
	later   bool
}

// Named sets the name of what was acted on, once it is known.
func (e *Entry) Named(name string) { e.on.Name = name }

// Add adds pairs of a name and its value to the record. Never a secret.
func (e *Entry) Add(detail ...string) { e.detail = append(e.detail, detail...) }

// Refuse makes the outcome of an act refused whose work returns no error, such as a
// service that says no.
func (e *Entry) Refuse(reason string) { e.refused = reason }

// Unchanged drops the record of an act that has found nothing to do.
func (e *Entry) Unchanged() { e.quiet = true }

// Later says that how an act of Ask went is not known yet: Ended records it.
func (e *Entry) Later() { e.later = true }

// Recorder carries out acts and records them. It is safe for concurrent use.
type Recorder struct {
	store *store.Store
	log   *audit.Log
}

// NewRecorder returns a Recorder.
func NewRecorder(st *store.Store, log *audit.Log) *Recorder { return &Recorder{store: st, log: log} }

// Change does an act on rows. do and the record are one transaction; the context that do
// gets belongs to it (store.Store.InTx), so do must not wait for anything outside. An
// error of do is returned as it is: what do has written is rolled back, and the attempt
// is recorded as refused or failed. Errors: ErrNotAllowed.
func (r *Recorder) Change(ctx context.Context, a Act, do func(ctx context.Context, e *Entry) error) error {
	e := entryOf(ctx, a)
	if err := r.permit(ctx, a, e); err != nil {
		return err
	}
	return r.change(ctx, a, e, do)
}

// change is Change of an act that is permitted.
func (r *Recorder) change(ctx context.Context, a Act, e *Entry, do func(ctx context.Context, e *Entry) error) error {
	err := r.store.InTx(ctx, func(ctx context.Context) error {
		if err := do(ctx, e); err != nil {
			return err
		}
		if e.quiet {
			return nil
		}
		return r.log.Append(ctx, a.Name, e.on, e.outcome(), e.details()...)
	})
	if err != nil {
		r.attempted(ctx, a, e, err)
	}
	return err
}

// Ask does an act that asks a service or a person, and so cannot be rolled back: that it
// was begun is recorded before do, and how it went afterwards, also if the caller has
// disconnected. The record of the beginning has to be there: without it nothing is done.
// Errors: ErrNotAllowed, and those of do.
func (r *Recorder) Ask(ctx context.Context, a Act, do func(ctx context.Context, e *Entry) error) error {
	e := entryOf(ctx, a)
	if err := r.permit(ctx, a, e); err != nil {
		return err
	}
	if err := r.log.Append(ctx, a.Name, e.on, audit.Begun, e.detail...); err != nil {
		return fmt.Errorf("record that %s has begun, so that nothing was done: %w", a.Name, err)
	}
	err := do(ctx, e)
	switch {
	case e.later:
	case err != nil:
		r.attempted(ctx, a, e, err)
	default:
		r.log.Outcome(ctx, a.Name, e.on, e.outcome(), e.details()...)
	}
	return err
}

// Ended records how an act went whose outcome was not known when Ask returned, or that was
// one of many that were done together. Nil is done.
func (r *Recorder) Ended(ctx context.Context, a Act, err error) {
	e := entryOf(ctx, a)
	if err != nil {
		r.attempted(ctx, a, e, err)
		return
	}
	r.log.Outcome(ctx, a.Name, e.on, e.outcome(), e.details()...)
}

type detailInContext struct{}

// Within adds pairs of a name and its value to the records of all acts of a context, such
// as the run on many connections that they are part of.
func Within(ctx context.Context, detail ...string) context.Context {
	return context.WithValue(ctx, detailInContext{}, detail)
}

func entryOf(ctx context.Context, a Act) *Entry {
	detail, _ := ctx.Value(detailInContext{}).([]string)
	a.On.Name = cut(a.On.Name, mostName) // it may be what somebody entered
	return &Entry{on: a.On, detail: append(slices.Clone(a.Detail), detail...)}
}

// permit checks what the act needs.
func (r *Recorder) permit(ctx context.Context, a Act, e *Entry) error {
	if From(ctx).May(a.Needs) {
		return nil
	}
	r.attempted(ctx, a, e, ErrNotAllowed)
	return ErrNotAllowed
}

// attempted records an act that was refused or has failed.
func (r *Recorder) attempted(ctx context.Context, a Act, e *Entry, err error) {
	outcome := audit.Failed
	if Refusal(err) {
		outcome = audit.Refused
	}
	r.log.Outcome(ctx, a.Name, e.on, outcome, append(e.detail, "reason", reason(err))...)
}

func (e *Entry) outcome() string {
	if e.refused != "" {
		return audit.Refused
	}
	return audit.Done
}

func (e *Entry) details() []string {
	if e.refused != "" {
		return append(e.detail, "reason", e.refused)
	}
	return e.detail
}

// RefusalError marks an error as a rule that says no, rather than a fault: what is entered
// is wrong, what is asked for is not there or in use, or the caller may not.
type RefusalError interface {
	error
	Refusal() bool
}

// Refusal reports whether an error is a rule that says no, here or at the service.
func Refusal(err error) bool {
	for _, known := range []error{ErrNotAllowed, store.ErrNotFound, store.ErrInUse, store.ErrNameTaken, store.ErrStale, servicedb.ErrTooOften, peopledb.ErrLastOwner, access.ErrForbidden} {
		if errors.Is(err, known) {
			return true
		}
	}
	if said, ok := errors.AsType[RefusalError](err); ok {
		return said.Refusal()
	}
	cause, ok := errors.AsType[*provider.Error](err)
	return ok && cause.Kind != provider.Transient && cause.Kind != provider.Internal
}

// mostReason bounds what is recorded of an error, and mostName the name of an object, in
// bytes.
const (
	mostReason = 300
	mostName   = 300
)

func cut(s string, most int) string { return strings.ToValidUTF8(s[:min(len(s), most)], "") }

func reason(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "it took too long"
	case errors.Is(err, context.Canceled):
		return "it was cancelled"
	}
	said := err.Error()
	return cut(said, mostReason)
}
