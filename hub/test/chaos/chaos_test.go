package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestPartsAreChosenByTheirBeginning(t *testing.T) {
	for only, want := range map[string]int{"": len(parts), "crash": 1, "outage": 5, "race,oidc": 2} {
		chosen, err := choose(only)
		if err != nil || len(chosen) != want {
			t.Errorf("%q chooses %d parts, want %d (%v)", only, len(chosen), want, err)
		}
	}
	if _, err := choose("nonsense"); err == nil {
		t.Error("a part that is not there is accepted, and nothing would be proven")
	}
}

func TestTheClosingLineFailsTheRun(t *testing.T) {
	play := func(found tally, broken error) (code int, said string) {
		var out strings.Builder
		st := &stage{out: &out, dir: t.TempDir()}
		code = st.runAll(t.Context(), []part{{"a", "a part", func(context.Context, *stage) (tally, error) { return found, broken }}})
		return code, out.String()
	}
	code, said := play(tally{renewals: 7}, nil)
	if code != 0 || !strings.HasSuffix(said, "chaos: 7 renewals, 0 lost, 0 double-spent, 0 stale\n") {
		t.Errorf("%d:\n%s", code, said)
	}
	if code, said = play(tally{}, skipError{"there is no room"}); code != 0 || !strings.Contains(said, "a: SKIPPED: there is no room") {
		t.Errorf("%d:\n%s", code, said)
	}
	for name, found := range map[string]tally{"lost": {lost: 1}, "double-spent": {doubleSpent: 1}, "stale": {stale: 1}} {
		if code, said := play(found, nil); code != 1 || !strings.Contains(said, "1 "+name) {
			t.Errorf("%s: %d:\n%s", name, code, said)
		}
	}
	if code, _ := play(tally{}, errors.New("it broke")); code != 1 {
		t.Error("a part that broke passes")
	}
}

func TestTheMatrixIsWrittenBetweenItsMarks(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	kinds := []provider.RotationKind{provider.RotationRotates}
	for range 2 { // the second time it replaces the first
		if err := os.WriteFile(page, []byte("before\n"+tableBegins+"\nold\n"+tableEnds+"\nafter\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		results := []result{{cell: cell{victims[0], kinds[0], crashpoint.Parsed}, fate: kept}}
		if err := writeMatrix(page, results, kinds); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(written)
	if !strings.HasPrefix(text, "before\n") || !strings.HasSuffix(text, "\nafter\n") || strings.Contains(text, "old") || !strings.Contains(text, "| parsed | kept |") {
		t.Errorf("written:\n%s", text)
	}
}

func TestTheResolverKnowsOneNameUntilItFails(t *testing.T) {
	r, err := startResolver("tokens.chaos.test")
	if err != nil {
		t.Skipf("port 53 is not ours: %v", err)
	}
	defer r.close()
	defer r.use()()
	look := func(name string) error {
		_, err := net.DefaultResolver.LookupHost(t.Context(), name)
		return err
	}
	if err := look("tokens.chaos.test"); err != nil {
		t.Error(err)
	}
	if look("other.chaos.test") == nil {
		t.Error("another name resolves")
	}
	r.failing.Store(true)
	if look("tokens.chaos.test") == nil {
		t.Error("the name resolves although the server fails")
	}
}
