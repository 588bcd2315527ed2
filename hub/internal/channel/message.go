package channel

import (
	"encoding/json"
	"html"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
)

// Message is a notification.
type Message struct {
	// ID is the same for every repeat of this message to this address, and
	// different for every other. It is webhook-id, and Message-ID at SMTP.
	ID string
	// To is an address that CheckAddress accepts.
	To string
	// Subject is for e-mail, one line. Text is for all but webhooks; where it is
	// empty the subject takes its place. HTML is for e-mail; empty is made of Text.
	Subject, Text, HTML string
	// Lang is the language of the texts, "en" or "ru", for e-mail's headers.
	Lang string
	// Data is a webhook's data, any JSON. Empty is an object with subject and text.
	Data json.RawMessage
	// Type is a webhook's type, for example "escalation.opened".
	Type string
	// At is when the event happened; zero is now.
	At time.Time
}

// Receipt is the service's answer to an accepted message. It does not show whether the
// message is read.
type Receipt struct {
	// Reference is the service's number of the message, if it gave one.
	Reference string
	// Said is a short part of the answer without secrets, for the record.
	Said string
	// MovedTo is the address under which the receiver is reached from now on, or
	// empty: a Telegram group that has become a supergroup.
	MovedTo string
}

// The longest texts, in UTF-16 units, which no service counts more strictly than.
const (
	// shortLimit is UniSender's; at the others what is longer is cut by carriers or
	// refused, and each part is paid.
	shortLimit   = 1000
	chatLimit    = 4096
	subjectLimit = 250
)

// shaped returns a message as its kind carries it: lines where lines belong, no
// longer than the service takes.
func shaped(k Kind, m Message, now time.Time) Message {
	m.Subject = cut(oneLine(m.Subject), subjectLimit)
	m.Text = lines(m.Text)
	if m.Text == "" {
		m.Text = m.Subject
	}
	if m.Subject == "" {
		m.Subject = cut(oneLine(m.Text), subjectLimit)
	}
	if m.HTML = lines(m.HTML); m.HTML == "" {
		m.HTML = "<p>" + strings.ReplaceAll(html.EscapeString(m.Text), "\n", "<br>\n") + "</p>"
	}
	switch k.Form() {
	case Short:
		m.Text = cut(m.Text, shortLimit)
	case Chat:
		m.Text = cut(m.Text, chatLimit)
	}
	if m.At.IsZero() {
		m.At = now
	}
	return m
}

// cut returns text of at most limit UTF-16 units, with … where it was cut.
func cut(text string, limit int) string {
	units, end := 0, 0
	for i, r := range text {
		units += utf16.RuneLen(r)
		if units > limit {
			return strings.TrimRightFunc(text[:end], unicode.IsSpace) + "…"
		}
		if units < limit {
			end = i + len(string(r))
		}
	}
	return text
}

// oneLine returns text whose every run of spaces, line ends and invisible
// characters is one space, so that it can end no header.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "�"), invisible), " ")
}

// lines returns text with line ends and tabs, but nothing else invisible.
func lines(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "�"), "\r\n", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text))
}
