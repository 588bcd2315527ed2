package endpoint

import (
	"fmt"
	"time"
)

// ClosedError reports that an endpoint gets no requests now. Nothing was sent and the
// grant has not failed: retry after Until. Limiter.Enter returns it.
type ClosedError struct {
	Key Key
	// Until is when a permit may be available: the next probe, or the next slot of the rate.
	Until time.Time
	// Cause is why, for people; no secret.
	Cause string
	// Busy is set if the endpoint is healthy, but its rate is used up.
	Busy bool
}

// Error implements error.
func (e *ClosedError) Error() string {
	if e.Busy {
		return fmt.Sprintf("%s gets as many requests as its rate limit allows; the next may be sent at %s", e.Key, e.Until.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("%s is left alone until %s: %s", e.Key, e.Until.UTC().Format(time.RFC3339), e.Cause)
}
