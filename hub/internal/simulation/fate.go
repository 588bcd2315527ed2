package simulation

import (
	"encoding/binary"
	"hash/fnv"
	"time"
)

// Fate is what a seed decides. Every answer is a function of the seed and of the names
// that it is asked about.
type Fate struct{ Seed uint64 }

// roll returns a number from [0, 1).
func (f Fate) roll(what string, about ...string) float64 {
	h := fnv.New64a()
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], f.Seed)
	_, _ = h.Write(seed[:])
	_, _ = h.Write([]byte(what))
	for _, a := range about {
		_, _ = h.Write([]byte{0})
		_, _ = h.Write([]byte(a))
	}
	x := h.Sum64()
	// FNV's high bits are poor for short inputs: mix as splitmix64 does.
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	x ^= x >> 31
	return float64(x>>11) / (1 << 53)
}

// happens reports whether something with a probability does.
func (f Fate) happens(probability float64, what string, about ...string) bool {
	return f.roll(what, about...) < probability
}

// between returns a time between two, in whole steps of the world's clock.
func (f Fate) between(least, most time.Duration, what string, about ...string) time.Duration {
	return (least + time.Duration(f.roll(what, about...)*float64(most-least))).Round(clockStep)
}

// clockStep is the grain of what happens: what falls together is done together, as in a
// hub under load.
const clockStep = 20 * time.Millisecond

// Trouble is how an exchange goes wrong at the authority.
type Trouble string

// The troubles of an exchange. Those before the request is processed lose nothing.
const (
	NoTrouble   Trouble = "none"
	Late        Trouble = "late"         // the answer takes seconds to minutes
	Refused503  Trouble = "503"          // not processed
	ResetBefore Trouble = "reset_before" // the connection breaks, and nothing is processed
	ResetLater  Trouble = "reset_later"  // the connection breaks, and the request is processed seconds later
	LostAnswer  Trouble = "lost_answer"  // processed, and the answer never leaves
	Gateway     Trouble = "gateway"      // 504 at once, not processed
)

// exchangeTrouble decides about the nth request with a refresh token.
func (f Fate) exchangeTrouble(token string, nth string) Trouble {
	switch r := f.roll("trouble", token, nth); {
	case r < 0.04:
		return Late
	case r < 0.06:
		return Refused503
	case r < 0.07:
		return ResetBefore
	case r < 0.071:
		return ResetLater
	case r < 0.0715:
		return LostAnswer
	case r < 0.08:
		return Gateway
	default:
		return NoTrouble
	}
}
