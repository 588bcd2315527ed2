package hub_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// guessed counts how many of some guesses at a login were checked; the others were asked to
// wait, with a time.
func guessed(t *testing.T, v *visitor, login string, guesses int) int64 {
	t.Helper()
	var checked atomic.Int64
	var all sync.WaitGroup
	for range guesses {
		all.Go(func() {
			resp, err := http.PostForm(v.base+"/login", url.Values{"login": {login}, "password": {"a wrong guess"}})
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
			switch {
			case resp.StatusCode == http.StatusUnprocessableEntity:
				checked.Add(1)
			case resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "":
				t.Errorf("a guess was answered %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
			}
		})
	}
	all.Wait()
	return checked.Load()
}

func logIn(v *visitor) int {
	status, _, _ := v.ask("POST", "/login", url.Values{"login": {"owner"}, "password": {testPassword}})
	return status
}

// Sixty guesses at one moment are not all checked, and the person gets in all the same
// where they were logged in before.
func TestSixtyGuessesDoNotKeepThePersonOut(t *testing.T) {
	r := startHub(t, nil)
	boss := r.owner(t)
	if n := guessed(t, boss, "owner", 60); n == 0 || n > 5 {
		t.Errorf("%d guesses were checked", n)
	}
	if status := logIn(newVisitor(t, r)); status != http.StatusTooManyRequests {
		t.Errorf("a strange browser of that network: %d", status)
	}
	if status, _, _ := boss.ask("POST", "/login/confirm", url.Values{"password": {testPassword}, "return_to": {"/settings"}}); status != http.StatusSeeOther {
		t.Errorf("a confirmation in the person's own browser: %d", status)
	}
	boss.ask("POST", "/logout", url.Values{})
	if status := logIn(boss); status != http.StatusSeeOther {
		t.Errorf("the person's own browser: %d", status)
	}
	if at := strings.Index(r.log.String(), "a wrong guess"); at >= 0 {
		t.Error("a password that was tried is in the log")
	}
}

func TestTwoHubsCountGuessesTogether(t *testing.T) {
	address, dir := storetest.Postgres(t), t.TempDir()
	key := dir + "/evergrant.key"
	if err := hub.CreateKey(key); err != nil {
		t.Fatal(err)
	}
	flags := map[string]any{"database.url": address, "key.file": key}
	one, two := startHubIn(t, t.TempDir(), flags), startHubIn(t, t.TempDir(), flags)
	boss := one.owner(t)
	if n := guessed(t, newVisitor(t, one), "owner", 10) + guessed(t, newVisitor(t, two), "owner", 10); n == 0 || n > 5 {
		t.Errorf("%d guesses were checked by both", n)
	}
	if status := logIn(newVisitor(t, two)); status != http.StatusTooManyRequests {
		t.Errorf("the other hub has not counted: %d", status)
	}
	elsewhere := newVisitor(t, two)
	elsewhere.http.Jar = boss.http.Jar // 127.0.0.1 both, so the cookies of one are those of the other
	elsewhere.ask("POST", "/logout", url.Values{})
	if status := logIn(elsewhere); status != http.StatusSeeOther {
		t.Errorf("the other hub does not know the browser: %d", status)
	}
}
