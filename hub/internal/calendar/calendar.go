// Package calendar writes dates in the form that calendar programs subscribe to
// (iCalendar, RFC 5545).
package calendar

import (
	"fmt"
	"io"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
)

// Entry is a moment in a calendar.
type Entry struct {
	// UID stays the same when the entry changes.
	UID     string
	At      time.Time
	Changed time.Time
	Summary string
	// Description says what to do; URL is where.
	Description, URL string
}

// entryLength makes an entry wide enough to be seen.
const entryLength = 30 * time.Minute

// reminder is how long before an entry a calendar program reminds.
const reminder = 24 * time.Hour

// Write writes a calendar. Texts may be anything: they are escaped.
func Write(w io.Writer, name string, entries []Entry) error {
	cal := ics.NewCalendar()
	cal.SetProductId("-//Evergrant//Forecast//EN")
	cal.SetMethod(ics.MethodPublish)
	cal.SetXWRCalName(printable(name))
	cal.SetRefreshInterval("PT1H") // the library writes that it is a duration
	for _, e := range entries {
		event := cal.AddEvent(printable(e.UID))
		event.SetDtStampTime(e.Changed)
		event.SetStartAt(e.At)
		event.SetEndAt(e.At.Add(entryLength))
		event.SetSummary(printable(e.Summary))
		event.SetDescription(printable(e.Description))
		if e.URL != "" {
			event.SetURL(printable(e.URL))
		}
		alarm := event.AddAlarm()
		alarm.SetAction(ics.ActionDisplay)
		alarm.SetDescription(printable(e.Summary))
		alarm.SetTrigger(fmt.Sprintf("-PT%dH", int(reminder.Hours())))
	}
	return cal.SerializeTo(w, ics.WithNewLineWindows)
}

// printable leaves out what a text of the format must not hold (section 3.3.11); the
// library escapes the rest.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r >= ' ' && r != 0x7f {
			return r
		}
		return -1
	}, s)
}
