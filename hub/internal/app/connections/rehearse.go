package connections

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/authflow"
)

// Rehearse asks the service of a connection whether a renewal would work, and changes
// nothing. Errors: authflow.ErrNothingToRehearse, store.ErrNotFound,
// *store.DetachedError.
func (x *Connections) Rehearse(ctx context.Context, w Which) (r authflow.Rehearsal, err error) {
	err = x.o.Recorder.Ask(ctx, about("connection.rehearse", access.ActOperate, w), func(ctx context.Context, e *act.Entry) error {
		c, s, err := x.Find(ctx, w)
		if err != nil {
			return err
		}
		if r, err = x.o.Flow.Rehearse(ctx, c, s); err == nil {
			e.Add("verdict", string(r.Verdict))
		}
		return err
	})
	return r, err
}
