// Package escalation tells people of trouble, step by step, until somebody takes care.
//
// The walk: the store writes an escalation with all its messages in the transaction
// that opens an incident, so nothing that is known is not told. Run takes messages when
// they are due, one replica each: compose writes what a message says, in the language of
// its contact and with links of its own, and keeps it, so that a second try says the
// same; then it is sent, and what came of it is kept. A message that is not taken is
// tried for a day, or given up at once if no try could help; then the next step comes
// sooner. What nobody knows the end of, because the hub died in the middle, is sent
// again: channels with an idempotency key recognise it, others get one more at most.
package escalation
