package tokensource

import (
	"time"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Attempt is a renewal that came to an end.
type Attempt struct {
	Service service.Service
	// Failure is why there is no new token set; nil if there is.
	Failure *provider.Error
	// Took is from the begin of the call to its end.
	Took time.Duration
	// Lag is how long after its due time the renewal began; zero for one that was
	// requested earlier.
	Lag time.Duration
	// Scheduled is set if there was a due time.
	Scheduled bool
}

// Outcome is "renewed", or the name of the failure's kind.
func (a Attempt) Outcome() string {
	if a.Failure == nil {
		return "renewed"
	}
	return a.Failure.Kind.String()
}
