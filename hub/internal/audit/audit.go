// Package audit records the acts of people and API keys that change something, and what
// the hub itself refused.
//
// The entry of a request (web, api) puts an Actor into the context. The code that
// executes an act calls Log.Record with that context; store appends the record to a chain
// that shows any later change.
package audit

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
)

// Actor is the person, API key or command that acts.
type Actor struct {
	// Kind is one of the Kind constants.
	Kind string
	// Name is the login, the title of the key, or "" for the hub.
	Name string
	// Address is where the request came from; "" for the hub.
	Address string
}

// Kinds of actors.
const (
	KindPerson = "person"
	KindLink   = "link"
	// KindFront is a visitor without an account, on the front page.
	KindFront = "front"
	KindKey   = "key"
	KindHub   = "hub"
)

type actorKey struct{}

// With puts an actor into a context.
func With(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// From is the context's actor; the hub itself without any.
func From(ctx context.Context) Actor {
	if a, ok := ctx.Value(actorKey{}).(Actor); ok {
		return a
	}
	return Actor{Kind: KindHub}
}

// Object is what was acted on.
type Object struct {
	// Kind is plugin, package, key, service, connection, user and so on.
	Kind string
	// Name is its name, or its id if it has none.
	Name string
}

// Log writes audit records. It is safe for concurrent use.
type Log struct {
	store *store.Store
	log   hclog.Logger
	watch func(ctx context.Context, r auditdb.AuditRecord)
}

// Watch sets a function that gets every record before it is written: it must not fail the
// act. Call it before the first Record.
func (l *Log) Watch(watch func(ctx context.Context, r auditdb.AuditRecord)) { l.watch = watch }

// New returns a Log.
func New(st *store.Store, log hclog.Logger) *Log { return &Log{store: st, log: log} }

// Outcomes of acts.
const (
	// Begun is an act that asks a service or a person; its outcome is another record.
	Begun = "begun"
	// Done is an act that was carried out.
	Done = "done"
	// Refused is an act that a rule, a permission or the service does not let through.
	Refused = "refused"
	// Failed is an act that something else has kept from being done.
	Failed = "failed"
)

// Record writes an act of the context's actor that was done. detail are pairs of a name
// and its value, never a secret. A record that cannot be written is logged: the act has
// happened.
func (l *Log) Record(ctx context.Context, act string, on Object, detail ...string) {
	l.Outcome(ctx, act, on, Done, detail...)
}

// Outcome is Record for any outcome.
func (l *Log) Outcome(ctx context.Context, act string, on Object, outcome string, detail ...string) {
	// An act is recorded also if its caller has disconnected.
	if err := l.Append(context.WithoutCancel(ctx), act, on, outcome, detail...); err != nil {
		l.log.Error("write audit record failed", "act", act, "outcome", outcome, "object", on.Kind+" "+on.Name, "actor", From(ctx).Name, "error", err)
	}
}

// Append writes a record as part of the transaction that ctx belongs to, if any, and
// returns the error if it cannot be written.
func (l *Log) Append(ctx context.Context, act string, on Object, outcome string, detail ...string) error {
	actor := From(ctx)
	r := auditdb.AuditRecord{
		At: time.Now(), ActorKind: actor.Kind, Actor: actor.Name, Address: actor.Address,
		Act: act, ObjectKind: on.Kind, Object: on.Name, Detail: pairs(detail), Outcome: outcome,
	}
	if l.watch != nil && outcome == Done {
		l.watch(context.WithoutCancel(ctx), r)
	}
	if err := l.store.Audit.AppendAudit(ctx, r); err != nil {
		return err
	}
	l.store.AfterCommit(ctx, func() {
		l.log.Info("audit", "act", act, "outcome", outcome, "object", on.Kind+" "+on.Name, "actor", actor.Kind+" "+actor.Name)
	})
	return nil
}

func pairs(words []string) map[string]string {
	m := make(map[string]string, len(words)/2)
	for i := 0; i+1 < len(words); i += 2 {
		if words[i+1] != "" {
			m[words[i]] = words[i+1]
		}
	}
	return m
}
