package tokensource

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
)

// BringForward is bringForward with a row that was read before.
func (s *Source) BringForward(ctx context.Context, c connection.Connection, ahead connection.Ahead) (connection.Connection, error) {
	return s.bringForward(ctx, c, ahead)
}

// FenceOf is the fence of an intent.
func (s *Source) FenceOf(i renewaldb.Intent) func(context.Context) error { return s.fence(i) }
