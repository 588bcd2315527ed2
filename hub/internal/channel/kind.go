package channel

import "slices"

// Kind is the protocol of a channel. It is stored in rows and part of the API.
type Kind string

// The kinds of channels.
const (
	Twilio         Kind = "twilio"
	MessageBird    Kind = "messagebird"
	UniSenderSMS   Kind = "unisender-sms"
	UniSenderEmail Kind = "unisender-email"
	Mandrill       Kind = "mandrill"
	SMTP           Kind = "smtp"
	Telegram       Kind = "telegram"
	Webhook        Kind = "webhook"
)

// Kinds are all of them, in the order in which a page offers them.
var Kinds = []Kind{SMTP, Telegram, Webhook, Twilio, MessageBird, UniSenderSMS, UniSenderEmail, Mandrill}

// Known reports whether there is such a kind.
func (k Kind) Known() bool { return slices.Contains(Kinds, k) }

// Form is the shape of the messages of a kind.
type Form string

// The forms of messages.
const (
	// Short is a plain text that is paid by its length: the text only.
	Short Form = "short"
	// Chat is a plain text of some lines: the text only.
	Chat Form = "chat"
	// Rich has a subject, a text and the same as HTML.
	Rich Form = "rich"
	// Data is for programs: a type and JSON.
	Data Form = "data"
)

// Form returns the shape of the messages of a kind.
func (k Kind) Form() Form {
	switch k {
	case Telegram:
		return Chat
	case UniSenderEmail, Mandrill, SMTP:
		return Rich
	case Webhook:
		return Data
	default:
		return Short
	}
}

// Idempotent reports whether the receiver recognises a repeat with the same
// Message.ID, so that a message with Error.Maybe may be sent again without being
// read twice. SMTP's Message-ID stays the same too, but mail servers are not bound
// to drop what they have seen.
func (k Kind) Idempotent() bool { return k == Webhook }
