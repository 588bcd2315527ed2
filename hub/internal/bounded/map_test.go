package bounded_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/bounded"
)

// Beyond the bound entries go one by one, and those in use stay.
func TestTheLeastUsedGoOneByOneAndTheHotOnesStay(t *testing.T) {
	const most, hot = 1000, 50
	m := bounded.New[int, string](most)
	value := func(key int) string { return fmt.Sprint(key) }
	use := func() {
		for key := range hot {
			got, ok := m.Get(key)
			if !ok || got != value(key) {
				t.Fatalf("the entry %d, which is used all the time, is %q, %t", key, got, ok)
			}
		}
	}
	for key := range hot {
		m.Put(key, value(key))
	}
	for key := hot; key < 20*most; key++ {
		m.Put(key, value(key))
		if key%20 == 0 {
			use()
		}
		if key >= most && key%100 == 0 {
			if n := m.Len(); n > most || n < most*9/10 {
				t.Fatalf("after %d entries there are %d, want nearly %d", key, n, most)
			}
		}
	}
	use()
	for key := range 20 * most {
		if got, ok := m.Get(key); ok && got != value(key) {
			t.Fatalf("the entry %d is %q", key, got)
		}
	}
}

func TestAnEntryIsReplacedAndDeleted(t *testing.T) {
	m := bounded.New[string, int](10)
	m.Put("a", 1)
	m.Put("a", 2)
	if got, ok := m.Get("a"); got != 2 || !ok {
		t.Errorf("got %d, %t", got, ok)
	}
	m.Delete("a")
	if got, ok := m.Get("a"); ok || got != 0 || m.Len() != 0 {
		t.Errorf("a deleted entry is %d, %t", got, ok)
	}
}

func TestManyUseItAtOnce(t *testing.T) {
	m := bounded.New[int, int](100)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for n := range 5000 {
				key := (n*7 + w) % 400
				if got, ok := m.Get(key); ok && got != key {
					t.Errorf("the entry %d is %d", key, got)
				}
				m.Put(key, key)
			}
		})
	}
	all.Wait()
	if n := m.Len(); n > 100 {
		t.Errorf("there are %d entries", n)
	}
}
