// Package channel sends one message to one address over one configured channel:
// a short message, an e-mail, a chat or a signed webhook. It has no
// state; recipients, texts and times are its caller's.
//
// # A message
//
// Fields returns the settings of a form, Check validates them, and CheckAddress
// validates an address for a kind of channel. Send then
// checks both again, converts the message to the shape of the kind
// (message.go: lengths, lines) and hands it to the file of the kind: twilio.go,
// messagebird.go, unisender.go, mandrill.go, telegram.go, webhook.go, smtp.go.
// All but the last make one POST (post.go).
//
// A message that was not accepted is an *Error, with whether and when a retry can
// succeed, and a reason that a page has a sentence for (error.go). Services
// differ in where they put a failure, and some answer 200 with a failure inside,
// so each file reads its service's answer before the status.
//
// # Once, or perhaps twice
//
// Nothing is sent a second time here, except to the group that a Telegram
// group has become. Error.Maybe marks a message that may have been accepted without
// confirmation. Only a webhook can recognize the repeat (Kind.Idempotent).
//
// # Secrets
//
// Settings hold secrets and print none. Everything that leaves in an Error or a
// Receipt goes through hidden (secret.go), because a service may repeat what it
// was sent and net/http quotes addresses, which at Telegram hold the token.
package channel
