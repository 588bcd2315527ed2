package providerplugin

import (
	"fmt"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
)

// The contract's own limits, which every hub grants.
const (
	// MaxBody bounds the body of one request and of one reply, in bytes.
	MaxBody = 512 << 10
	// MaxSteps bounds the requests of one operation.
	MaxSteps = 8
	// MaxMessage bounds a message in either direction, in bytes.
	MaxMessage = 1 << 20
)

// aroundBody is the room of a message beside its body, in bytes.
const aroundBody = MaxMessage - MaxBody

// Limits bound one operation. What is zero is the contract's own.
type Limits struct {
	// Steps bounds the requests of one operation.
	Steps int `json:"steps,omitempty"`
	// BodyBytes bounds the body of one request and of one reply.
	BodyBytes int64 `json:"body_bytes,omitempty"`
	// MessageBytes bounds one message between hub and plugin with all that it holds. Zero
	// is what the body needs.
	MessageBytes int64 `json:"message_bytes,omitempty"`
}

// Filled returns the limits with the contract's own in place of what is zero.
func (l Limits) Filled() Limits {
	if l.Steps <= 0 {
		l.Steps = MaxSteps
	}
	if l.BodyBytes <= 0 {
		l.BodyBytes = MaxBody
	}
	if l.MessageBytes <= 0 {
		l.MessageBytes = max(MaxMessage, l.BodyBytes+aroundBody)
	}
	return l
}

// IsZero reports whether nothing is asked for beyond the contract's own limits.
func (l Limits) IsZero() bool { return l.Filled() == Limits{}.Filled() }

// beyond says what is asked for beyond the most that is granted, a part of a sentence each.
func (l Limits) beyond(most Limits) (excess []string) {
	l, most = l.Filled(), most.Filled()
	if l.Steps > most.Steps {
		excess = append(excess, fmt.Sprintf("%d requests in one operation, where this hub grants %d (plugins.max_steps)", l.Steps, most.Steps))
	}
	if l.BodyBytes > most.BodyBytes {
		excess = append(excess, fmt.Sprintf("bodies of %d KiB, where this hub grants %d (plugins.max_body_kib)", l.BodyBytes>>10, most.BodyBytes>>10))
	}
	if l.MessageBytes > most.MessageBytes {
		excess = append(excess, fmt.Sprintf("messages of %d KiB, where this hub grants %d (plugins.max_body_kib and 512)", l.MessageBytes>>10, most.MessageBytes>>10))
	}
	return excess
}

// most is the larger of each of two limits.
func (l Limits) most(other Limits) Limits {
	l, other = l.Filled(), other.Filled()
	return Limits{Steps: max(l.Steps, other.Steps), BodyBytes: max(l.BodyBytes, other.BodyBytes), MessageBytes: max(l.MessageBytes, other.MessageBytes)}
}

func (l Limits) wire() *providerv1.Limits {
	l = l.Filled()
	return &providerv1.Limits{Steps: uint32(l.Steps), BodyBytes: uint64(l.BodyBytes), MessageBytes: uint64(l.MessageBytes)}
}

// maxLimit keeps a number of another process within what this one can count.
const maxLimit = 1 << 30

func limitsFrom(w *providerv1.Limits) Limits {
	return Limits{
		Steps: int(min(w.GetSteps(), maxLimit)), BodyBytes: int64(min(w.GetBodyBytes(), maxLimit)), MessageBytes: int64(min(w.GetMessageBytes(), maxLimit)),
	}.Filled()
}
