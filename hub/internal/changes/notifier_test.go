package changes_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/changes"
)

func happened(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestOnlyThoseWhoWaitForAConnectionAreWoken(t *testing.T) {
	var f changes.Notifier
	one, forgetOne := f.Next("one")
	again, forgetAgain := f.Next("one")
	two, forgetTwo := f.Next("two")
	f.Publish("one", "three")
	if !happened(one) || !happened(again) || happened(two) {
		t.Error("woken: one, one again, two:", happened(one), happened(again), happened(two))
	}
	later, forgetLater := f.Next("one")
	if happened(later) {
		t.Error("who came after the change was woken by it")
	}
	forgetOne()
	forgetAgain() // of a change that is over: the newer waiter stays
	f.PublishAll()
	if !happened(later) || !happened(two) {
		t.Error("somebody was not woken although anything may have changed")
	}
	forgetLater()
	forgetTwo()
}

func TestASubscriptionCollectsEachChangeOnce(t *testing.T) {
	var f changes.Notifier
	s := f.Subscribe()
	f.Publish("a", "b")
	f.Publish("a")
	if !happened(s.Ready()) {
		t.Fatal("nothing is ready")
	}
	ids, all := s.Take()
	slices.Sort(ids)
	if !slices.Equal(ids, []string{"a", "b"}) || all {
		t.Errorf("%v, all %t", ids, all)
	}
	for n := range 20_000 {
		f.Publish(fmt.Sprint(n))
	}
	if ids, all := s.Take(); !all || len(ids) > 10_000 {
		t.Errorf("a slow reader holds %d changes, all %t", len(ids), all)
	}
	s.Close()
	f.Publish("c")
	if ids, _ := s.Take(); len(ids) != 0 {
		t.Errorf("a closed subscription got %v", ids)
	}
}
