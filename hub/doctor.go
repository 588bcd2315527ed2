package hub

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/doctor"
)

// Finding is what Doctor saw of one part of a deployment.
type Finding = doctor.Finding

// Doctor examines a deployment and returns what to fix; it changes nothing. clockURL is a
// service to compare the clock with, "" for none. A part of the hub that can be
// misconfigured adds its doctor.Check here.
func Doctor(ctx context.Context, cfg Config, clockURL string) (found []Finding, failed int) {
	checks, done := doctor.Checks(doctor.Options{Config: cfg, ClockURL: clockURL})
	defer done()
	found = doctor.Run(ctx, checks)
	return found, doctor.Failed(found)
}
