package i18n_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/sdk/provider"
)

// A component that is rendered in a context says times in the reader's language and zone.
func TestTimesAreSaidInTheLanguageAndZoneOfTheContext(t *testing.T) {
	now := time.Date(2027, 5, 12, 20, 30, 5, 0, time.UTC)
	kolkata := time.FixedZone("+0530", 5*3600+30*60)
	ctx := i18n.With(t.Context(), i18n.NewSpeaker(i18n.English, kolkata, now))
	for want, got := range map[string]string{
		"41 days 16 hours":               i18n.Duration(ctx, 1000*time.Hour),
		"0 seconds":                      i18n.Duration(ctx, 0),
		"never expires":                  i18n.Lifetime(ctx, provider.Never),
		"not known beforehand":           i18n.Lifetime(ctx, 0),
		"1 hour":                         i18n.Lifetime(ctx, time.Hour),
		"now":                            i18n.Relative(ctx, now.Add(-4*time.Second)),
		"in 47 hr":                       i18n.Relative(ctx, now.Add(47*time.Hour)),
		"3 years ago":                    i18n.Relative(ctx, now.AddDate(-3, 0, -1)),
		"02:00 UTC+5:30":                 i18n.Clock(ctx, now),
		"12 May, 23:59 UTC+5:30":         i18n.Clock(ctx, now.Add(-2*time.Hour-5*time.Second-time.Minute+5*time.Second)),
		"13 May":                         i18n.Day(ctx, now),
		"1 January 2028":                 i18n.Day(ctx, now.AddDate(0, 7, 19)),
		"13 May 2027":                    i18n.Date(ctx, now),
		"13 May 2027, 02:00:05 UTC+5:30": i18n.Full(ctx, now),
		"12 May 2027, 13:30:05 UTC-7":    i18n.NewSpeaker(i18n.English, time.FixedZone("-07", -7*3600), now).Full(now),
		"months":                         i18n.T(ctx, "months"),
		"2 days":                         i18n.N(ctx, "time.days", 2),
		"Hello":                          i18n.Text(ctx, provider.Text{EN: "Hello", RU: "Привет"}),
		"12 May 2027, 20:30:05 UTC":      i18n.NewSpeaker(i18n.English, nil, now).Full(now),
	} {
		if got != want {
			t.Errorf("said is %q, want %q", got, want)
		}
	}
	if !i18n.Today(ctx, now.Add(time.Hour)) || i18n.Today(ctx, now.Add(-3*time.Hour)) {
		t.Error("today is the day of the reader's zone")
	}
	russian := i18n.With(t.Context(), i18n.NewSpeaker(i18n.Russian, nil, now))
	if said := i18n.Text(russian, provider.Text{EN: "Hello", RU: "Привет"}); said != "Привет" || i18n.Lang(russian) != i18n.Russian {
		t.Errorf("said is %q", said)
	}
	if i18n.Lang(t.Context()) != i18n.English {
		t.Error("without a reader it is English")
	}
}
