package store_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

func TestSessionRunsOutWithTheTimeOfABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.OpenWith(t, store.Options{DataDir: storetest.Folder(t)})
		check(t, s.People.Sessions().Commit("token", []byte("x"), time.Now().Add(12*time.Hour)))
		waittest.Let(12*time.Hour - time.Minute)
		if _, found, err := s.People.Sessions().Find("token"); !found || err != nil {
			t.Errorf("it ended too early, %v", err)
		}
		waittest.Let(2 * time.Minute)
		if _, found, err := s.People.Sessions().Find("token"); found || err != nil {
			t.Errorf("it is still there, %v", err)
		}
	})
}
