package access

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

const right = "correct horse battery"

// guess tries a wrong password and tells what came of it.
func guess(t *testing.T, a *Access, login, from string, devices ...string) error {
	t.Helper()
	_, err := a.Login(t.Context(), login, "a wrong guess", from, devices...)
	return err
}

func isTooMany(err error) bool {
	_, ok := errors.AsType[*TooManyError](err)
	return ok
}

// Guesses that come at one moment are counted one by one, so no more of them are checked
// than of those that come in turn.
func TestSixtyGuessesAtOneMomentAreNotAllChecked(t *testing.T) {
	hashesOften(t)
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		a := New(st)
		owner(t, a)
		var checked, refused atomic.Int64
		var all sync.WaitGroup
		for range 60 {
			all.Go(func() {
				switch err := guess(t, a, "owner", "192.0.2.1"); {
				case errors.Is(err, ErrWrongLogin):
					checked.Add(1)
				case isTooMany(err):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := checked.Load(); n == 0 || n > int64(loginHere.burst) || checked.Load()+refused.Load() != 60 {
			t.Errorf("%d guesses were checked, %d refused", n, refused.Load())
		}
	})
}

// Hubs on one database count together, and a hub that starts again goes on counting.
func TestHubsCountGuessesTogether(t *testing.T) {
	hashesOften(t)
	for dialect, open := range map[string]func(*testing.T, *seal.Box, string) *store.Store{
		store.SQLite: func(t *testing.T, box *seal.Box, dir string) *store.Store {
			return storetest.OpenWith(t, store.Options{DataDir: dir, Box: box, SharedSQLite: true})
		},
		store.PostgreSQL: func(t *testing.T, box *seal.Box, address string) *store.Store {
			return storetest.OpenWith(t, store.Options{URL: address, Box: box})
		},
	} {
		t.Run(dialect, func(t *testing.T) {
			box, at := storetest.Box(t), t.TempDir()
			if dialect == store.PostgreSQL {
				at = storetest.Postgres(t)
			}
			one, two := New(open(t, box, at)), New(open(t, box, at))
			u := owner(t, one)
			for n := range loginHere.burst {
				hub := []*Access{one, two}[n%2]
				if err := guess(t, hub, "owner", "192.0.2.1"); !errors.Is(err, ErrWrongLogin) {
					t.Fatalf("guess %d: %v", n, err)
				}
			}
			for name, hub := range map[string]*Access{"the first": one, "the second": two, "one that has just started": New(open(t, box, at))} {
				if _, err := hub.Login(t.Context(), "owner", right, "192.0.2.1"); !isTooMany(err) {
					t.Errorf("%s hub: %v", name, err)
				}
			}
			device, err := one.Device(t.Context(), u, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := two.Login(t.Context(), "owner", right, "192.0.2.1", device); err != nil {
				t.Errorf("the other hub does not know the browser: %v", err)
			}
		})
	}
}

// Whatever strangers guess, a person who was logged in before gets in there; and whoever
// has taken the browser's cookie gets no more guesses than anybody.
func TestOthersGuessesDoNotKeepAKnownBrowserOut(t *testing.T) {
	hashesOften(t)
	st := storetest.SQLite(t)
	a := New(st)
	u := owner(t, a)
	other := invited(t, a, u, "other", RoleViewer)
	mine, err := a.Device(t.Context(), u, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range loginHere.burst {
		_ = guess(t, a, "owner", "192.0.2.1")
	}
	for name, devices := range map[string][]string{
		"strange": nil, "forged": {mine[:len(mine)-1] + "x"}, "nonsense": {"", ".", "...", strings.Repeat("x", 10_000)},
		"another person's": {must(a.Device(t.Context(), other, nil))}, "moved to another person": {strings.Replace(mine, u.ID, other.ID, 1)},
	} {
		if _, err := a.Login(t.Context(), "owner", right, "192.0.2.1", devices...); !isTooMany(err) {
			t.Errorf("a browser that is %s: %v", name, err)
		}
	}
	if _, err := a.Login(t.Context(), "owner", right, "192.0.2.1", "nonsense", mine); err != nil {
		t.Errorf("the known browser: %v", err)
	}
	again := must(a.Device(t.Context(), u, []string{mine}))
	if strings.Split(again, ".")[1] != strings.Split(mine, ".")[1] {
		t.Error("another login gives the browser another name, and so another budget")
	}
	for range loginDevice.burst {
		if err := must(a.loginTry(t.Context(), "owner", u, "192.0.2.77", []string{mine})).count(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := guess(t, a, "owner", "192.0.2.78", mine); !isTooMany(err) {
		t.Errorf("whoever has the browser guesses on: %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Guesses from ever new networks are bounded by what the login has for all of them.
func TestGuessesFromManyNetworksAreBoundedTogether(t *testing.T) {
	hashesOften(t)
	st := storetest.SQLite(t)
	a := New(st)
	u := owner(t, a)
	for kind, try := range map[string]struct {
		most int
		make func(from string) (*try, error)
	}{
		"passwords": {loginAnywhere.burst, func(from string) (*try, error) { return a.loginTry(t.Context(), "OWNER", u, from, nil) }},
		"codes":     {codeAnywhere.burst, func(from string) (*try, error) { return a.codeTry(t.Context(), u, from, nil) }},
	} {
		let := 0
		for n := range 100 {
			tried := must(try.make(fmt.Sprintf("198.51.100.%d", n)))
			if err := tried.count(t.Context()); err == nil {
				let++
			} else if !isTooMany(err) {
				t.Fatal(err)
			}
		}
		if let != try.most {
			t.Errorf("%s: %d guesses from a hundred networks, want %d", kind, let, try.most)
		}
	}
}

func TestOneMachineIsOneNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::9%eth0": "2001:db8:1:2::/64",
		"[2001:db8:1:2::7]:443": "2001:db8:1:2::/64", "": "",
	} {
		if got := Network(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// Guesses fill up again with time; a login that was right takes none.
func TestGuessesComeBackWithTime(t *testing.T) {
	hashesOften(t)
	synctest.Test(t, func(t *testing.T) {
		a := New(storetest.OpenWith(t, store.Options{DataDir: storetest.Folder(t)}))
		owner(t, a)
		for range 3 { // rights take nothing
			if _, err := a.Login(t.Context(), "owner", right, "192.0.2.1"); err != nil {
				t.Fatal(err)
			}
		}
		for n := range loginHere.burst {
			if err := guess(t, a, "owner", "192.0.2.1"); !errors.Is(err, ErrWrongLogin) {
				t.Fatalf("guess %d: %v", n, err)
			}
		}
		err := guess(t, a, "owner", "192.0.2.1")
		if wait, ok := errors.AsType[*TooManyError](err); !ok || wait.RetryAfter != loginHere.every {
			t.Errorf("the next: %v", err)
		}
		waittest.Let(loginHere.every)
		if _, err := a.Login(t.Context(), "owner", right, "192.0.2.1"); err != nil {
			t.Errorf("when the wait is over: %v", err)
		}
		if err := guess(t, a, "owner", "192.0.2.1"); !errors.Is(err, ErrWrongLogin) {
			t.Errorf("a login that was right did not forget the guesses: %v", err)
		}
	})
}

// Codes and the password that a signed-in person shows again are counted as logins are.
func TestCodesAndThePresentPasswordAreCounted(t *testing.T) {
	st := storetest.SQLite(t)
	a := New(st)
	u := owner(t, a)
	secret, _ := NewSecondFactor(u.Login)
	recovery := must(a.ConfirmSecondFactor(t.Context(), u.ID, secret, codeAt(secret, time.Now().Unix()/30)))
	for n := range codeHere.burst {
		if _, err := a.SecondLogin(t.Context(), u.ID, "123456789", "192.0.2.1"); !errors.Is(err, ErrWrongCode) {
			t.Fatalf("code %d: %v", n, err)
		}
	}
	if _, err := a.SecondLogin(t.Context(), u.ID, recovery[0], "192.0.2.1"); !isTooMany(err) {
		t.Errorf("a recovery code behind too many codes: %v", err)
	}
	if _, err := a.SecondLogin(t.Context(), u.ID, recovery[0], "192.0.2.1", must(a.Device(t.Context(), u, nil))); err != nil {
		t.Errorf("in a known browser: %v", err)
	}
	for range presentPassword.burst {
		if err := a.DropSecondFactorWith(t.Context(), u.ID, "a wrong guess"); !errors.Is(err, ErrWrongLogin) {
			t.Fatal(err)
		}
	}
	for name, err := range map[string]error{
		"drop the second factor": a.DropSecondFactorWith(t.Context(), u.ID, right), "change the password": a.ChangePasswordWith(t.Context(), u.ID, right, "another long one"),
	} {
		if !isTooMany(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What people type into the login field, passwords among it, is nowhere in the budgets,
// and however long it is, a key has one size.
func TestKeysOfBudgetsTellNothing(t *testing.T) {
	short := loginHere.of([]byte("secret"), "owner", "192.0.2.1")
	long := loginHere.of([]byte("secret"), strings.Repeat("x", 9<<20), "192.0.2.1")
	if len(short.Key) != 64 || len(long.Key) != 64 || short.Key == loginHere.of([]byte("other"), "owner", "192.0.2.1").Key {
		t.Errorf("%q and %q", short.Key, long.Key)
	}
	if loginHere.of([]byte("secret"), "a", "bc").Key == loginHere.of([]byte("secret"), "ab", "c").Key {
		t.Error("two logins share a budget")
	}
	a := New(storetest.SQLite(t))
	for _, login := range []string{strings.Repeat("x", 9<<20), "nul\x00", "\xff\xfe", ""} {
		if err := guess(t, a, login, "192.0.2.1"); !errors.Is(err, ErrWrongLogin) {
			t.Errorf("a login of %d bytes: %.100v", len(login), err)
		}
	}
}

// hashesOften leaves a test out that hashes many passwords, where little time is wanted.
func hashesOften(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: each of its passwords is hashed for a tenth of a second")
	}
}
