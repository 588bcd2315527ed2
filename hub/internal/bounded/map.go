// Package bounded has the map of whatever lives as long as the hub and grows with
// what it is asked: it holds a fixed number of entries, and lets the least used one go
// for each that is too many. A map that is emptied whole when it is full makes
// everybody wait at once.
package bounded

import "github.com/maypok86/otter/v2"

// Map holds at most so many entries, those that are used the most. An entry may go at
// any time, so what it holds can be had again or is not needed. It starts no goroutine
// and is safe for concurrent use.
type Map[K comparable, V any] struct {
	entries *otter.Cache[K, V]
}

// New returns an empty Map for a number of entries, at least one.
func New[K comparable, V any](most int) *Map[K, V] {
	return &Map[K, V]{entries: otter.Must(&otter.Options[K, V]{
		MaximumSize: most,
		Executor:    func(work func()) { work() }, // by who puts: nothing is left running when the hub stops
	})}
}

// Get returns the entry of a key and counts as its use.
func (m *Map[K, V]) Get(key K) (V, bool) { return m.entries.GetIfPresent(key) }

// Put keeps an entry, in the place of one with the same key.
func (m *Map[K, V]) Put(key K, value V) { m.entries.Set(key, value) }

// Delete removes the entry of a key, if there is one.
func (m *Map[K, V]) Delete(key K) { m.entries.Invalidate(key) }

// Len is how many entries there are.
func (m *Map[K, V]) Len() int {
	m.entries.CleanUp()
	return m.entries.EstimatedSize()
}
