package newest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func openIn(tb testing.TB, dir string, box *seal.Box) (*newest.Keeper, *bytes.Buffer) {
	tb.Helper()
	var log bytes.Buffer
	k, err := newest.Open(dir, box, hclog.New(&hclog.LoggerOptions{Output: &log}))
	check(tb, err)
	tb.Cleanup(func() { check(tb, k.Close()) })
	return k, &log
}

func entry(id, lineage string, generation int64, refresh string) newest.Entry {
	return newest.Entry{ConnectionID: id, SavedAt: noon, Ahead: connection.Ahead{
		Lineage: lineage, Generation: generation, RenewedAt: noon,
		Tokens: connection.TokenSet{AccessToken: "plain-access", RefreshToken: refresh, Scopes: []string{}, ObtainedAt: noon, ExpiresAt: noon.Add(time.Hour), Extra: map[string]any{"domain": "x"}},
	}}
}

func TestTheNewestTokenSetOfALineageOutlivesTheProcess(t *testing.T) {
	dir, box := t.TempDir(), storetest.Box(t)
	k, err := newest.Open(dir, box, nil)
	check(t, err)
	want := entry("c1", "l1", 7, "plain-refresh-7")
	check(t, k.Put(t.Context(), want))
	check(t, k.Put(t.Context(), entry("c1", "l1", 6, "plain-refresh-6")))
	check(t, k.SetMark(t.Context(), "database", "5"))
	check(t, k.SetMark(t.Context(), "database", "9"))
	check(t, k.Close())
	if err := k.Put(t.Context(), want); err == nil {
		t.Error("a closed file takes an entry")
	}
	again, _ := openIn(t, dir, box)
	got, ok, err := again.Newest(t.Context(), "c1", "l1")
	check(t, err)
	if !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %t", got, ok)
	}
	for _, absent := range [][2]string{{"c1", "l2"}, {"c2", "l1"}} {
		if _, ok, err := again.Newest(t.Context(), absent[0], absent[1]); ok || err != nil {
			t.Errorf("%v: %t, %v", absent, ok, err)
		}
	}
	if mark, err := again.Mark(t.Context(), "database"); err != nil || mark != "9" {
		t.Errorf("the mark is %q, %v", mark, err)
	}
	if mark, err := again.Mark(t.Context(), "other"); err != nil || mark != "" {
		t.Errorf("a mark that was never set is %q, %v", mark, err)
	}
}

func TestTheFileIsOpenedInARelativeFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"data", "./data with 100%", "."} {
		k, err := newest.Open(dir, storetest.Box(t), hclog.NewNullLogger())
		if err != nil {
			t.Fatalf("%s: %v", dir, err)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "newest.db")); err != nil {
			t.Error(err)
		}
	}
}

func TestNoTokenIsReadableInTheFile(t *testing.T) {
	dir := t.TempDir()
	k, _ := openIn(t, dir, storetest.Box(t))
	check(t, k.Put(t.Context(), entry("c1", "l1", 1, "plain-refresh")))
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	check(t, err)
	for _, path := range found {
		info, err := os.Stat(path)
		check(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		data, err := os.ReadFile(path)
		check(t, err)
		if bytes.Contains(data, []byte("plain-")) {
			t.Errorf("%s shows a token", path)
		}
	}
}

func TestTheLastTwoLineagesOfAConnectionAreKept(t *testing.T) {
	k, _ := openIn(t, t.TempDir(), storetest.Box(t))
	for i := range 4 {
		e := entry("c1", fmt.Sprintf("l%d", i), 1, "r")
		e.SavedAt = noon.Add(time.Duration(i) * time.Minute)
		check(t, k.Put(t.Context(), e))
	}
	check(t, k.Put(t.Context(), entry("c2", "m", 1, "r")))
	if got := lineages(t, k); !slices.Equal(got, []string{"l2", "l3", "m"}) {
		t.Errorf("kept are %v", got)
	}
	check(t, k.Drop(t.Context(), "c1", "c9"))
	if got := lineages(t, k); !slices.Equal(got, []string{"m"}) {
		t.Errorf("after the connection was deleted, kept are %v", got)
	}
}

func lineages(t *testing.T, k *newest.Keeper) (all []string) {
	t.Helper()
	check(t, k.Each(t.Context(), func(e newest.Entry) error { all = append(all, e.Lineage); return nil }))
	return all
}

func TestWhatWasNotTouchedLongestGoesFirst(t *testing.T) {
	k, log := openIn(t, t.TempDir(), storetest.Box(t))
	k.SetLimit(20_000)
	for i := range 100 {
		e := entry(fmt.Sprintf("c%03d", i), "l", 1, "r")
		e.SavedAt = noon.Add(time.Duration(i) * time.Minute)
		check(t, k.Put(t.Context(), e))
	}
	check(t, k.SetMark(t.Context(), "flush", "")) // behind the last bound
	s, err := k.Stats(t.Context())
	check(t, err)
	if s.Bytes > 20_000 || s.Entries == 0 || s.Entries > 60 {
		t.Errorf("%+v", s)
	}
	var first string
	check(t, k.Each(t.Context(), func(e newest.Entry) error {
		if first == "" {
			first = e.ConnectionID
		}
		return nil
	}))
	if want := fmt.Sprintf("c%03d", 100-s.Entries); first != want {
		t.Errorf("the oldest that is kept is %s, want %s", first, want)
	}
	if !strings.Contains(log.String(), "least recently used entries dropped") {
		t.Errorf("the log does not say so:\n%s", log)
	}
}

func TestADamagedFileIsKeptAsideAndANewOneBegun(t *testing.T) {
	dir, box := t.TempDir(), storetest.Box(t)
	path := filepath.Join(dir, newest.FileName)
	for i, damage := range []func(){
		func() { check(t, os.WriteFile(path, bytes.Repeat([]byte("no database "), 1000), 0o600)) },
		func() {
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			check(t, err)
			_, err = f.WriteAt(bytes.Repeat([]byte{0xff}, 8192), 4096)
			check(t, errors.Join(err, f.Close()))
		},
	} {
		k, err := newest.Open(dir, box, nil)
		check(t, err)
		for n := range 50 {
			check(t, k.Put(t.Context(), entry(fmt.Sprint("c", n), "l", 1, "r")))
		}
		check(t, k.Close())
		damage()
		if _, err := newest.Inspect(t.Context(), dir); err == nil {
			t.Error("the damage is not seen from outside")
		}
		again, log := openIn(t, dir, box)
		if got := newest.Damaged(dir); len(got) != i+1 || !strings.Contains(log.String(), got[i]) || !strings.Contains(log.String(), "[ERROR]") {
			t.Errorf("kept aside are %v; the log:\n%s", got, log)
		}
		check(t, again.Put(t.Context(), entry("c1", "l", 2, "r2")))
		if e, ok, err := again.Newest(t.Context(), "c1", "l"); err != nil || !ok || e.Tokens.RefreshToken != "r2" {
			t.Errorf("the new file: %v %v", ok, err)
		}
		check(t, again.Close())
		if s, err := newest.Inspect(t.Context(), dir); err != nil || s.Damaged != i+1 || s.Entries != 1 {
			t.Errorf("%+v, %v", s, err)
		}
	}
}

func TestAFileThatVanishedIsBegunAnew(t *testing.T) {
	dir := t.TempDir()
	k, log := openIn(t, dir, storetest.Box(t))
	check(t, k.Put(t.Context(), entry("c1", "l", 1, "r")))
	for _, companion := range []string{"", "-wal", "-shm"} {
		check(t, os.Remove(filepath.Join(dir, newest.FileName+companion)))
	}
	check(t, k.Put(t.Context(), entry("c2", "l", 1, "r")))
	if s, err := newest.Inspect(t.Context(), dir); err != nil || s.Entries != 1 || !strings.Contains(log.String(), "missing or replaced") {
		t.Errorf("%+v, %v\n%s", s, err, log)
	}
}

func TestAnEntryOpensOnlyForItsConnectionLineageAndGeneration(t *testing.T) {
	dir := t.TempDir()
	k, _ := openIn(t, dir, storetest.Box(t))
	check(t, k.Put(t.Context(), entry("c1", "l", 1, "r")))
	rewrite(t, dir, `UPDATE entries SET generation = 2`)
	if _, ok, err := k.Newest(t.Context(), "c1", "l"); ok || !errors.Is(err, seal.ErrOpen) {
		t.Errorf("an entry with another generation opens: %t, %v", ok, err)
	}
}

func TestEntriesAreSealedAnewAfterARotation(t *testing.T) {
	dir, keyFile := t.TempDir(), filepath.Join(t.TempDir(), "key")
	box, err := seal.Create(keyFile)
	check(t, err)
	k, _ := openIn(t, dir, box)
	for n := range 450 {
		check(t, k.Put(t.Context(), entry(fmt.Sprint("c", n), "l", 1, "r")))
	}
	old := box.KeyID()
	check(t, box.Rotate(keyFile))
	check(t, k.Reseal(t.Context(), box))
	for _, sealed := range sealedIn(t, dir) {
		if key := uint32(sealed[1])<<24 | uint32(sealed[2])<<16 | uint32(sealed[3])<<8 | uint32(sealed[4]); key == old || key != box.KeyID() {
			t.Fatalf("an entry needs key %d", key)
		}
	}
	if len(lineages(t, k)) != 450 {
		t.Error("not all are there")
	}
}

func TestWhatWasWithdrawnIsKept(t *testing.T) {
	k, _ := openIn(t, t.TempDir(), storetest.Box(t))
	w := newest.Withdrawal{At: noon, Act: "api_key.revoke", Kind: "api_key", Object: "k1"}
	check(t, k.Withdrew(t.Context(), w))
	w.At = noon.Add(time.Hour)
	check(t, k.Withdrew(t.Context(), w))
	other := newest.Withdrawal{At: noon, Act: "person.remove", Kind: "person", Object: "anna"}
	check(t, k.Withdrew(t.Context(), other))
	all, err := k.Withdrawals(t.Context(), time.Time{})
	check(t, err)
	if !slices.Equal(all, []newest.Withdrawal{other, w}) {
		t.Errorf("%+v", all)
	}
	check(t, k.NotWithdrawn(t.Context(), other))
	if late, err := k.Withdrawals(t.Context(), noon); err != nil || !slices.Equal(late, []newest.Withdrawal{w}) {
		t.Errorf("%+v, %v", late, err)
	}
}

// TestManyAtOnceShareACommit also shows the time of one Put; see the benchmark for more.
func TestManyAtOnceShareACommit(t *testing.T) {
	k, _ := openIn(t, t.TempDir(), storetest.Box(t))
	var all sync.WaitGroup
	for n := range 200 {
		all.Go(func() {
			for g := range 5 {
				if err := k.Put(t.Context(), entry(fmt.Sprint("c", n), "l", int64(g+1), "r")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	seen := 0
	check(t, k.Each(t.Context(), func(e newest.Entry) error {
		if seen++; e.Generation != 5 {
			t.Errorf("%s has generation %d", e.ConnectionID, e.Generation)
		}
		return nil
	}))
	if seen != 200 {
		t.Errorf("%d entries", seen)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.Put(ended, entry("late", "l", 1, "r")); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func BenchmarkPut(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			k, _ := openIn(b, b.TempDir(), storetest.Box(b))
			b.SetParallelism(callers / 2)
			run := func(n int) {
				if err := k.Put(b.Context(), entry(fmt.Sprint("c", n%5000), "l", int64(n), "refresh")); err != nil {
					b.Error(err)
				}
			}
			if callers == 1 {
				for n := range b.N {
					run(n)
				}
				return
			}
			var mu sync.Mutex
			n := 0
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					mu.Lock()
					n++
					mine := n
					mu.Unlock()
					run(mine)
				}
			})
		})
	}
}

func BenchmarkNewest(b *testing.B) {
	k, _ := openIn(b, b.TempDir(), storetest.Box(b))
	check(b, k.Put(b.Context(), entry("c1", "l", 1, "refresh")))
	for b.Loop() {
		if _, ok, err := k.Newest(b.Context(), "c1", "l"); !ok || err != nil {
			b.Fatal(err)
		}
	}
}
