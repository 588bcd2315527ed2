// Package channel sends one message to one address over one configured channel:
// a short message, an e-mail, a chat or a signed webhook. It keeps nothing and
// knows nothing of who is told what and when; that is its caller's.
//
// # The walk
//
// Fields says what a form asks for, Check what is wrong with the answers, and
// CheckAddress whether somebody can be reached over a kind of channel. Send then
// checks both again, brings the message into the shape that the kind carries
// (message.go: lengths, lines) and hands it to the file of the kind: twilio.go,
// messagebird.go, unisender.go, mandrill.go, telegram.go, webhook.go, smtp.go.
// All but the last make one POST (post.go).
//
// A message that was not taken is an *Error. It says whether a repeat can help,
// when, and why in one word that a page has a sentence for (error.go). Services
// differ in where they put a failure, and some answer 200 with a failure inside,
// so each file reads its service's answer before the status.
//
// # Once, or perhaps twice
//
// Nothing is sent a second time here, except to the group that Telegram says a
// group has become. Error.Maybe marks a message that may have been taken although
// nobody said so. Only a webhook can recognise the repeat (Kind.Idempotent).
//
// # Secrets
//
// Settings hold secrets and print none. Everything that leaves in an Error or a
// Receipt goes through hidden (secret.go), because a service may repeat what it
// was sent and net/http quotes addresses, which at Telegram hold the token.
package channel
