package service

import "time"

// Secret is a second client secret of a service (RFC 6749 section 2.3.1). It never prints
// its value.
type Secret struct {
	Value string
	// EndsAt is when the service stops accepting it; zero if no end is known.
	EndsAt time.Time
}

// IsZero reports whether there is none.
func (s Secret) IsZero() bool { return s.Value == "" }

// Ended reports whether the service no longer accepts it, as far as its end is known.
func (s Secret) Ended(now time.Time) bool { return !s.EndsAt.IsZero() && !now.Before(s.EndsAt) }

// String keeps the value out of %v and %s.
func (s Secret) String() string { return "client secret" }

// GoString keeps the value out of %#v.
func (s Secret) GoString() string { return "service.Secret{…}" }

// Secrets are the client secrets of the service, the current one first.
func (s Service) Secrets() []Secret {
	var secrets []Secret
	for _, secret := range []Secret{{s.ClientSecret, s.SecretEndsAt}, s.OtherSecret} {
		if !secret.IsZero() {
			secrets = append(secrets, secret)
		}
	}
	return secrets
}

// At returns the service with the client secret that is sent at a time: the current one,
// or the other one if only the current one has ended. Where both have ended the current
// one is sent: an end may have been entered wrongly, and the service decides.
func (s Service) At(now time.Time) Service {
	if (Secret{s.ClientSecret, s.SecretEndsAt}).Ended(now) && !s.OtherSecret.IsZero() && !s.OtherSecret.Ended(now) {
		return s.Swapped()
	}
	return s
}

// WithOther returns the service with its other client secret in place of the one that it
// sends; false if there is none that has not ended.
func (s Service) WithOther(now time.Time) (Service, bool) {
	if s.ClientSecret == "" || s.OtherSecret.IsZero() || s.OtherSecret.Ended(now) || s.OtherSecret.Value == s.ClientSecret {
		return s, false
	}
	return s.Swapped(), true
}

// Swapped returns the service with its other client secret as the current one.
func (s Service) Swapped() Service {
	was := Secret{s.ClientSecret, s.SecretEndsAt}
	s.ClientSecret, s.SecretEndsAt, s.OtherSecret = s.OtherSecret.Value, s.OtherSecret.EndsAt, was
	return s
}

// SecretEnd is the end of one of the client secrets.
type SecretEnd struct {
	At time.Time
	// Current is set for the secret that an administrator made current.
	Current bool
	// Covered is set if the hub has another secret that lasts longer: it uses that one from
	// then on, and nothing stops.
	Covered bool
}

// SecretEnds are the known ends of the client secrets, the current one's first.
func (s Service) SecretEnds() []SecretEnd {
	var ends []SecretEnd
	secrets := s.Secrets()
	for i, secret := range secrets {
		if secret.EndsAt.IsZero() {
			continue
		}
		end := SecretEnd{At: secret.EndsAt, Current: i == 0}
		for j, other := range secrets {
			end.Covered = end.Covered || j != i && !other.Ended(secret.EndsAt)
		}
		ends = append(ends, end)
	}
	return ends
}
