package statickeystest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/statickeys/statickeystest"
)

func TestAKeyIsGoodUntilItsOwnEnd(t *testing.T) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	s := statickeystest.New()
	s.Now = func() time.Time { return now }
	old := s.Make(time.Hour)
	fresh := s.Make(2 * time.Hour)
	ask := func(key string) int {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set(statickeystest.Header, key)
		s.ServeHTTP(w, r)
		return w.Code
	}
	if ask(old) != 200 || ask(fresh) != 200 || ask("other") != 401 {
		t.Error("a new key ends the old one, or an unknown one is accepted")
	}
	now = now.Add(time.Hour)
	if ask(old) != 401 || s.State(old) != "expired" || ask(fresh) != 200 {
		t.Errorf("after its end the old key is %s, the new one %s", s.State(old), s.State(fresh))
	}
	kept, err := s.Save()
	if err != nil {
		t.Fatal(err)
	}
	again := statickeystest.New()
	again.Now = s.Now
	if err := again.Load(kept); err != nil || again.State(fresh) != "valid" {
		t.Errorf("after a restart the key is %s, %v", again.State(fresh), err)
	}
	if s.Withdraw(fresh); s.State(fresh) != "unknown" {
		t.Error("a withdrawn key still works")
	}
}
