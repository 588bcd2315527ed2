package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// guessed counts how many of some guesses at a login were checked; the others were asked to
// wait, with a time.
func guessed(t *testing.T, v *hubtest.Visitor, login string, guesses int) int64 {
	t.Helper()
	var checked atomic.Int64
	var all sync.WaitGroup
	for range guesses {
		all.Go(func() {
			resp, err := http.PostForm(v.Base+"/login", url.Values{"login": {login}, "password": {"a wrong guess"}})
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

func logIn(v *hubtest.Visitor) int {
	status, _, _ := v.Ask("POST", "/login", url.Values{"login": {"owner"}, "password": {hubtest.Password}})
	return status
}

// Sixty guesses at one moment are not all checked, and the person gets in all the same
// where they were logged in before.
func TestSixtyGuessesDoNotKeepThePersonOut(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	if n := guessed(t, boss, "owner", 60); n == 0 || n > 5 {
		t.Errorf("%d guesses were checked", n)
	}
	if status := logIn(hubtest.NewVisitor(t, r)); status != http.StatusTooManyRequests {
		t.Errorf("a strange browser of that network: %d", status)
	}
	if status, _, _ := boss.Ask("POST", "/login/confirm", url.Values{"password": {hubtest.Password}, "return_to": {"/settings"}}); status != http.StatusSeeOther {
		t.Errorf("a confirmation in the person's own browser: %d", status)
	}
	boss.Ask("POST", "/logout", url.Values{})
	if status := logIn(boss); status != http.StatusSeeOther {
		t.Errorf("the person's own browser: %d", status)
	}
	if at := strings.Index(r.Log.String(), "a wrong guess"); at >= 0 {
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
	one, two := hubtest.StartHubIn(t, t.TempDir(), flags), hubtest.StartHubIn(t, t.TempDir(), flags)
	boss := one.Owner(t)
	if n := guessed(t, hubtest.NewVisitor(t, one), "owner", 10) + guessed(t, hubtest.NewVisitor(t, two), "owner", 10); n == 0 || n > 5 {
		t.Errorf("%d guesses were checked by both", n)
	}
	if status := logIn(hubtest.NewVisitor(t, two)); status != http.StatusTooManyRequests {
		t.Errorf("the other hub has not counted: %d", status)
	}
	elsewhere := hubtest.NewVisitor(t, two)
	elsewhere.HTTP.Jar = boss.HTTP.Jar // 127.0.0.1 both, so the cookies of one are those of the other
	elsewhere.Ask("POST", "/logout", url.Values{})
	if status := logIn(elsewhere); status != http.StatusSeeOther {
		t.Errorf("the other hub does not know the browser: %d", status)
	}
}
