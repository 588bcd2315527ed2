package view

import (
	"time"

	"github.com/evergrant/evergrant/hub/internal/service"
)

// secretNear is how long before the end of a client secret or certificate pages warn.
const secretNear = 30 * 24 * time.Hour

// EndOf reports whether an end has passed, or comes so soon that pages warn of it; a zero end
// is none.
func EndOf(end, now time.Time) (ended, near bool) {
	if end.IsZero() {
		return false, false
	}
	return !now.Before(end), end.Sub(now) < secretNear
}

// Secret is a client secret of a service, without its value.
type Secret struct {
	// Current is set for the one that was made current, Used for the one that is sent now.
	Current, Used bool
	// EndsAt is zero if no end is known.
	EndsAt time.Time
	// Ended is set if the end has passed, and Near also if it comes soon.
	Ended, Near bool
	// Covered is set if the other secret lasts longer.
	Covered bool
}

// SecretsOf makes views of the client secrets of a service, the current one first.
func SecretsOf(s service.Service, now time.Time) []Secret {
	var list []Secret
	sent := s.At(now).ClientSecret
	for i, secret := range s.Secrets() {
		v := Secret{Current: i == 0, Used: secret.Value == sent, EndsAt: secret.EndsAt}
		v.Ended, v.Near = EndOf(secret.EndsAt, now)
		for _, end := range s.SecretEnds() {
			v.Covered = v.Covered || end.Current == v.Current && end.Covered
		}
		list = append(list, v)
	}
	return list
}
