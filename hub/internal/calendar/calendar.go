// Package calendar writes dates in the form that calendar programs subscribe to
// (iCalendar, RFC 5545).
package calendar

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
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
	var b strings.Builder
	line := func(name, value string) { fold(&b, name+":"+value) }
	line("BEGIN", "VCALENDAR")
	line("VERSION", "2.0")
	line("PRODID", "-//Evergrant//Forecast//EN")
	line("METHOD", "PUBLISH")
	line("X-WR-CALNAME", escape(name))
	line("REFRESH-INTERVAL;VALUE=DURATION", "PT1H")
	for _, e := range entries {
		line("BEGIN", "VEVENT")
		line("UID", escape(e.UID))
		line("DTSTAMP", stamp(e.Changed))
		line("DTSTART", stamp(e.At))
		line("DTEND", stamp(e.At.Add(entryLength)))
		line("SUMMARY", escape(e.Summary))
		line("DESCRIPTION", escape(e.Description))
		if e.URL != "" {
			line("URL", e.URL)
		}
		line("BEGIN", "VALARM")
		line("ACTION", "DISPLAY")
		line("DESCRIPTION", escape(e.Summary))
		line("TRIGGER", fmt.Sprintf("-PT%dH", int(reminder.Hours())))
		line("END", "VALARM")
		line("END", "VEVENT")
	}
	line("END", "VCALENDAR")
	_, err := io.WriteString(w, b.String())
	return err
}

func stamp(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

// escape is for values of the type TEXT (section 3.3.11).
func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r >= ' ' && r != 0x7f {
			return r
		}
		return -1
	}, s)
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
}

// mostOctets of a line, without its end (section 3.1).
const mostOctets = 75

// fold writes a line, broken so that no part is too long and no letter is cut.
func fold(b *strings.Builder, line string) {
	room := mostOctets
	for len(line) > room {
		cut := room
		for !utf8.RuneStart(line[cut]) {
			cut--
		}
		b.WriteString(line[:cut] + "\r\n ")
		line, room = line[cut:], mostOctets-1
	}
	b.WriteString(line + "\r\n")
}
