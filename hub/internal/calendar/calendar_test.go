package calendar_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/evergrant/evergrant/hub/internal/calendar"
)

// unfolded are the content lines, as a strict reader sees them.
func unfolded(t *testing.T, text string) []string {
	t.Helper()
	if !strings.HasSuffix(text, "\r\n") || strings.Count(text, "\n") != strings.Count(text, "\r\n") {
		t.Error("a line does not end with CR LF")
	}
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) {
			t.Errorf("a line has %d octets: %q", len(line), line)
		}
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r\n ", ""), "\r\n"), "\r\n")
}

func TestACalendarIsWhatStrictReadersTake(t *testing.T) {
	at := time.Date(2027, 5, 12, 14, 35, 0, 0, time.FixedZone("MSK", 3*3600))
	long := strings.Repeat("Битрикс24 — отдел продаж; ", 10)
	var b strings.Builder
	err := calendar.Write(&b, "Evergrant, forecast", []calendar.Entry{
		{UID: "1@evergrant", At: at, Changed: at, Summary: long, Description: "line one\nline two\r\\ END:VEVENT\x00", URL: "https://hub.example/connections/sales"},
	})
	if err != nil {
		t.Fatal(err)
	}
	lines := unfolded(t, b.String())
	depth := map[string]int{}
	values := map[string]string{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("no content line: %q", line)
		}
		switch name {
		case "BEGIN":
			depth[value]++
		case "END":
			depth[value]--
		}
		if _, seen := values[name]; !seen {
			values[name] = value
		}
	}
	for name, n := range depth {
		if n != 0 {
			t.Errorf("%s is left open %d times", name, n)
		}
	}
	for name, want := range map[string]string{
		"DTSTART": "20270512T113500Z", "UID": "1@evergrant", "X-WR-CALNAME": `Evergrant\, forecast`,
		"SUMMARY": strings.ReplaceAll(long, ";", `\;`), "DESCRIPTION": `line one\nline two\\ END:VEVENT`,
	} {
		if values[name] != want {
			t.Errorf("%s is %q, want %q", name, values[name], want)
		}
	}
}

// Calendar programs compare what they were sent: the same entries are the same bytes.
func TestTheSameEntriesAreTheSameCalendar(t *testing.T) {
	at := time.Date(2027, 5, 12, 14, 35, 0, 0, time.UTC)
	entries := []calendar.Entry{{UID: "1@evergrant", At: at, Changed: at, Summary: "first", Description: "do this"}, {UID: "2@evergrant", At: at, Changed: at, Summary: "second"}}
	write := func() string {
		var b strings.Builder
		if err := calendar.Write(&b, "forecast", entries); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	first := write()
	if second := write(); second != first {
		t.Errorf("%s\n%s", first, second)
	}
	for _, line := range []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Evergrant//Forecast//EN", "METHOD:PUBLISH", "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
		"DTSTAMP:20270512T143500Z", "DTEND:20270512T150500Z", "ACTION:DISPLAY", "TRIGGER:-PT24H", "END:VCALENDAR"} {
		if !strings.Contains(first, line+"\r\n") {
			t.Errorf("%s is missing in\n%s", line, first)
		}
	}
	if n := strings.Count(first, "PRODID"); n != 1 || strings.Contains(first, "Golang") {
		t.Errorf("%d product ids in\n%s", n, first)
	}
}
