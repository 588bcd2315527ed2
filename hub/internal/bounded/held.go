package bounded

import "sync"

// Held counts what is held open, such as streams, by whom it is held for. It is safe for
// concurrent use; a nil one bounds nothing.
type Held struct {
	perKey, inSum int

	mu    sync.Mutex
	sum   int
	byKey map[string]int
}

// NewHeld returns a Held for so many of one key and so many in sum; 0 is no bound.
func NewHeld(perKey, inSum int) *Held {
	return &Held{perKey: perKey, inSum: inSum, byKey: map[string]int{}}
}

// Hold counts one more, until leave is called once; false if there are too many.
func (h *Held) Hold(key string) (leave func(), ok bool) {
	if h == nil {
		return func() {}, true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.inSum > 0 && h.sum >= h.inSum || h.perKey > 0 && h.byKey[key] >= h.perKey {
		return nil, false
	}
	h.sum++
	h.byKey[key]++
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.sum--
		if h.byKey[key]--; h.byKey[key] == 0 {
			delete(h.byKey, key)
		}
	}, true
}
