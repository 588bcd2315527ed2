package oauth

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"
)

// lifetime reads a number, or a number in a string, of units. Nil is absent.
func lifetime(v any, unit time.Duration) *time.Duration {
	n, err := strconv.ParseFloat(strings.TrimSpace(text(v)), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return nil
	}
	const most = float64(math.MaxInt64 / 2)
	return new(time.Duration(min(max(n*float64(unit), -most), most)))
}

// accessLifetime is the lifetime of the access token. Zero means not given, as in
// golang.org/x/oauth2. Zoho has a field of its own with seconds beside milliseconds in
// expires_in.
func (r *Reply) accessLifetime(f TokenFields, unit time.Duration) *time.Duration {
	if f.ExpiresAt != "" {
		return r.until(r.at(f.ExpiresAt), cmp.Or(f.ExpiresAtUnit, time.Second))
	}
	d := lifetime(r.at(cmp.Or(f.ExpiresIn, "expires_in")), unit)
	if seconds := lifetime(r.Fields["expires_in_sec"], time.Second); seconds != nil && *seconds > 0 {
		d = seconds
	}
	if d != nil && *d == 0 {
		return nil
	}
	return d
}

// until is the time from the request to a moment; nil if there is none.
func (r *Reply) until(v any, unit time.Duration) *time.Duration {
	if at, err := time.Parse(time.RFC3339, text(v)); err == nil {
		return new(at.Sub(r.now))
	}
	since := lifetime(v, unit)
	if since == nil || *since == 0 {
		return nil
	}
	return new(time.Unix(0, 0).Add(*since).Sub(r.now))
}

// refreshLifetime reads the service's own name, or the two in use. Zero means "no expiry"
// there, which is the same as not given.
func (r *Reply) refreshLifetime(own string) *time.Duration {
	names := []string{"refresh_token_expires_in", "refresh_expires_in"}
	if own != "" {
		names = []string{own}
	}
	for _, name := range names {
		if d := lifetime(r.at(name), time.Second); d != nil && *d > 0 {
			return d
		}
	}
	return nil
}
