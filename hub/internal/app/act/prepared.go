package act

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/audit"
)

// Prepared is Change with work before its transaction: what is slow, such as the hash of
// a password or the unpacking of a file, and what has to stay though the act is refused,
// such as the count of a try. prepare runs after the check of the permission; its error
// ends the act and is recorded, unless it has called Entry.Unchanged. Errors:
// ErrNotAllowed, and those of prepare and do.
func (r *Recorder) Prepared(ctx context.Context, a Act, prepare, do func(ctx context.Context, e *Entry) error) error {
	e := entryOf(ctx, a)
	if err := r.permit(ctx, a, e); err != nil {
		return err
	}
	if err := prepare(ctx, e); err != nil {
		if !e.quiet {
			r.attempted(ctx, a, e, err)
		}
		return err
	}
	return r.change(ctx, a, e, do)
}

// Look does an act that changes no row: one record has its outcome. Errors:
// ErrNotAllowed, and those of do.
func (r *Recorder) Look(ctx context.Context, a Act, do func(ctx context.Context, e *Entry) error) error {
	nothing := func(context.Context, *Entry) error { return nil }
	return r.Prepared(ctx, a, do, nothing)
}

// Attempted records an act that has come to an error before it could be begun, such as a
// login with a wrong password, and returns the error.
func (r *Recorder) Attempted(ctx context.Context, a Act, err error) error {
	r.attempted(ctx, a, entryOf(ctx, a), err)
	return err
}

// TurnedAway records a caller who is known, and whose role or key does not allow what a
// page or an operation of the API is for: they are turned away before anything of the
// request is read, so no act has begun.
func (r *Recorder) TurnedAway(ctx context.Context, kind, name string) {
	r.Ended(ctx, Act{Name: "access.refuse", On: audit.Object{Kind: kind, Name: name}}, ErrNotAllowed)
}
