package tokensource

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/store"
)

// FenceOf is the fence of an intent.
func (s *Source) FenceOf(i store.Intent) func(context.Context) error { return s.fence(i) }
