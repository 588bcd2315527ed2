// Package policy decides who is told of trouble, by which way and when: the rules of
// escalation. It is pure: no I/O, and now is an argument.
//
// The walk: a Situation is what happened to which connections. Plan looks for the
// policies that match it and turns their steps into messages with a time each; what no
// policy matches goes to the owners of the connections, and what has no owner to the
// contacts that take what is left. Quiet hours put a message off. Retry says when a
// message that was not taken is tried again.
package policy
