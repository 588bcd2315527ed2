package connection

import "time"

// A wall clock can be set. The rules cope with that as follows.
//
//   - Forward: everything may be due and expired at once. Nothing is lost: due
//     connections are claimed in batches, each endpoint has its limits, and a known
//     expiry that has passed does not end a grant (canAsk). The new token sets carry
//     dates of the wrong clock.
//   - Back: a token set that was dated by a clock that was ahead expires late and is
//     due late, in the worst case after its real expiry. SkewCorrected detects such
//     sets by their date in the future and makes them due.
//
// The clocks of services are not used: expires_in counts from before our request, and
// neither a Date header nor a time in the reply (expires, nbf, iat) is evaluated.

// clockTolerance is how far ahead a date may lie without being taken for wrong:
// the clocks of replicas are never quite the same.
const clockTolerance = 2 * time.Minute

// FromTheFuture reports whether the token set was dated by a clock that was ahead.
func (c Connection) FromTheFuture(now time.Time) bool {
	return c.Tokens.ObtainedAt.After(now.Add(clockTolerance))
}

// SkewCorrected returns c with dates no later than now, if a clock that was ahead wrote
// them: the token set counts as obtained now, its expiry moves with it, and it is due
// within the margin of its lifetime, with jitter, because it may be older than that.
// Waiting times after failures move likewise. Plausible dates are left as they are.
func (c Connection) SkewCorrected(now time.Time) Connection {
	if c.State != StateActive {
		return c
	}
	if f := c.Failure; f != nil && f.At.After(now.Add(clockTolerance)) {
		back := now.Sub(f.At)
		moved := *f
		moved.At, moved.Since, moved.SameSince = now, earliest(f.Since, now), earliest(f.SameSince, now)
		if !f.RetryAfter.IsZero() {
			moved.RetryAfter = f.RetryAfter.Add(back)
		}
		if !f.AnswerableUntil.IsZero() {
			moved.AnswerableUntil = f.AnswerableUntil.Add(back)
		}
		c.Failure, c.Due, c.UpdatedAt = &moved, c.Due.Add(back), now
	}
	if !c.FromTheFuture(now) {
		return c
	}
	t := &c.Tokens
	back := now.Sub(t.ObtainedAt)
	t.ObtainedAt = now
	if c.RenewedAt.After(now) {
		c.RenewedAt = now
	}
	if c.AuthorizedAt.After(now) {
		c.AuthorizedAt = now
	}
	if !t.ExpiresAt.IsZero() {
		t.ExpiresAt = t.ExpiresAt.Add(back)
	}
	if !t.RefreshExpiresAt.IsZero() {
		t.RefreshExpiresAt = t.RefreshExpiresAt.Add(back)
	}
	c.UpdatedAt = now
	if c.Failure == nil {
		c.Due = c.NextDue(now)
		if !c.Due.IsZero() && !t.ExpiresAt.IsZero() {
			c.Due = earliest(c.Due, now.Add(c.jitter(c.Policy.Margin(t.Lifetime()))))
		}
	}
	return c
}

// SetBack moves everything that was dated before the clock of the database went back by a
// time: ends and due times stay as far away as they were. by is negative.
func (c Connection) SetBack(now time.Time, by time.Duration) Connection {
	if c.Tokens.AccessToken == "" && c.Due.IsZero() {
		return c
	}
	for _, t := range []*time.Time{
		&c.Tokens.ObtainedAt, &c.Tokens.ExpiresAt, &c.Tokens.RefreshExpiresAt, &c.RenewedAt, &c.AuthorizedAt, &c.Due,
	} {
		if !t.IsZero() {
			*t = t.Add(by)
		}
	}
	if f := c.Failure; f != nil {
		moved := *f
		for _, t := range []*time.Time{&moved.At, &moved.Since, &moved.SameSince, &moved.RetryAfter, &moved.AnswerableUntil} {
			if !t.IsZero() {
				*t = t.Add(by)
			}
		}
		c.Failure = &moved
	}
	c.UpdatedAt = now
	return c
}
