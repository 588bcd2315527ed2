// Package escalation notifies people of incidents, step by step, until one acknowledges.
//
// Planner opens an escalation with all its messages in the transaction that opens an
// incident, so that no incident goes without notification: package policy decides who is
// notified when, the store keeps the rows. Run claims messages when they
// are due, one replica each: compose writes the text, in the language of its contact and
// with links of its own, and stores it, so that a retry sends the same; then it is sent,
// and the result is stored. A message that is not accepted is retried for a day, or
// abandoned at once if no retry could succeed; then the next step is expedited. A message
// with an unknown result, because the hub stopped in between, is sent again: channels
// with an idempotency key recognize it, others deliver one duplicate at most.
package escalation
