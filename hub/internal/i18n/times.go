package i18n

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

const day = 24 * time.Hour

// unit is a step in which durations are said.
type unit struct {
	key  string
	size time.Duration
}

var units = []unit{
	{"time.days", day}, {"time.hours", time.Hour}, {"time.minutes", time.Minute}, {"time.seconds", time.Second},
}

// Duration says a length of time in full words, as lifetimes are told: "1 hour",
// "60 days", "41 days 16 hours". Two units are enough for anybody.
func (s *Speaker) Duration(d time.Duration) string {
	d = d.Round(time.Second)
	for i, u := range units {
		if d < u.size {
			continue
		}
		said := s.Count(u.key, int(d/u.size))
		if rest := d % u.size; i+1 < len(units) && rest >= units[i+1].size && d < 100*u.size {
			said += " " + s.Count(units[i+1].key, int(rest/units[i+1].size))
		}
		return said
	}
	return s.Count("time.seconds", 0)
}

// Lifetime says a declared lifetime: provider.Never and zero, which is unknown,
// have words of their own.
func (s *Speaker) Lifetime(d time.Duration) string {
	switch {
	case d == provider.Never:
		return s.Say("time.never")
	case d <= 0:
		return s.Say("time.unknown")
	default:
		return s.Duration(d)
	}
}

// relatives are the steps of Relative: each is used below its limit. The same
// steps are in evergrant.js, which lets the words tick.
var relatives = []struct {
	below, size time.Duration
	key         string
}{
	{time.Minute, time.Second, "time.short_seconds"},
	{time.Hour, time.Minute, "time.short_minutes"},
	{2 * day, time.Hour, "time.short_hours"},
	{60 * day, day, "time.days"},
	{2 * 365 * day, 365 * day / 12, "time.months"},
	{math.MaxInt64, 365 * day, "time.years"},
}

// Relative says how far a time is from now: "in 42 min", "3 days ago".
func (s *Speaker) Relative(t time.Time) string {
	d := t.Sub(s.Now)
	key := "time.in"
	if d < 0 {
		d, key = -d, "time.ago"
	}
	if d < 5*time.Second {
		return s.Say("time.just_now")
	}
	for _, r := range relatives {
		if d < r.below {
			return s.Say(key, "What", s.Count(r.key, int(d/r.size)))
		}
	}
	return ""
}

// Date says a day: "12 May 2027".
func (s *Speaker) Date(t time.Time) string {
	t = t.In(s.Zone)
	return fmt.Sprintf("%d %s %d", t.Day(), s.month(t.Month()), t.Year())
}

// Day says a day without its year if that is this year or near: "12 May".
func (s *Speaker) Day(t time.Time) string {
	t = t.In(s.Zone)
	if t.Year() != s.Now.In(s.Zone).Year() {
		return s.Date(t)
	}
	return fmt.Sprintf("%d %s", t.Day(), s.month(t.Month()))
}

func (s *Speaker) month(m time.Month) string { return s.Say("month.m" + fmt.Sprint(int(m))) }

// Clock says a time with its zone, and its day unless that is today:
// "14:35 MSK", "12 May, 14:35 MSK".
func (s *Speaker) Clock(t time.Time) string {
	t = t.In(s.Zone)
	now := s.Now.In(s.Zone)
	clock := t.Format("15:04 ") + zoneName(t)
	if sameDay(t, now) {
		return clock
	}
	return s.Day(t) + ", " + clock
}

// Today reports whether a time is on the reader's present day.
func (s *Speaker) Today(t time.Time) bool { return sameDay(t.In(s.Zone), s.Now.In(s.Zone)) }

func sameDay(a, b time.Time) bool { return a.YearDay() == b.YearDay() && a.Year() == b.Year() }

// Full says a time with day, seconds and zone, for tooltips.
func (s *Speaker) Full(t time.Time) string {
	t = t.In(s.Zone)
	return s.Date(t) + ", " + t.Format("15:04:05 ") + zoneName(t)
}

// zoneName is a zone's abbreviation; zones that have none are "UTC+5".
func zoneName(t time.Time) string {
	name, offset := t.Zone()
	if !strings.HasPrefix(name, "+") && !strings.HasPrefix(name, "-") {
		return name
	}
	name = fmt.Sprintf("UTC%+d", offset/3600)
	if minutes := offset % 3600 / 60; minutes != 0 {
		name += fmt.Sprintf(":%02d", max(minutes, -minutes))
	}
	return name
}

// Duration is Speaker.Duration in the context's language.
func Duration(ctx context.Context, d time.Duration) string { return From(ctx).Duration(d) }

// Lifetime is Speaker.Lifetime in the context's language.
func Lifetime(ctx context.Context, d time.Duration) string { return From(ctx).Lifetime(d) }

// Relative is Speaker.Relative in the context's language.
func Relative(ctx context.Context, t time.Time) string { return From(ctx).Relative(t) }

// Clock is Speaker.Clock in the context's language and zone.
func Clock(ctx context.Context, t time.Time) string { return From(ctx).Clock(t) }

// Today is Speaker.Today in the context's zone.
func Today(ctx context.Context, t time.Time) bool { return From(ctx).Today(t) }

// Day is Speaker.Day in the context's language and zone.
func Day(ctx context.Context, t time.Time) string { return From(ctx).Day(t) }

// Date is Speaker.Date in the context's language and zone.
func Date(ctx context.Context, t time.Time) string { return From(ctx).Date(t) }

// Full is Speaker.Full in the context's language and zone.
func Full(ctx context.Context, t time.Time) string { return From(ctx).Full(t) }
