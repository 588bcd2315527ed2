package definitions

import (
	"fmt"
	"strings"
	"testing"
)

func shown(lines []DiffLine) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%c%d%s ", l.Sign, l.Number, l.Text)
	}
	return strings.TrimSpace(b.String())
}

func TestADiffShowsWhatChangesWithItsLines(t *testing.T) {
	long := strings.Repeat("x\n", 30)
	for name, c := range map[string]struct{ before, after, want string }{
		"the same":      {"a\nb\n", "a\nb\n", ""},
		"replaced":      {"a\nb\nc\n", "a\nB\nc\n", " 1a -2b +2B  3c"},
		"added":         {"a\nc\n", "a\nb\nc\n", " 1a +2b  3c"},
		"removed":       {"a\nb\nc", "a\nc", " 1a -2b  2c"},
		"from nothing":  {"", "a\n", "+1a"},
		"far apart":     {"1\n" + long + "2\n", "A\n" + long + "B\n", "-11 +1A  2x  3x  4x  29x  30x  31x -322 +32B"},
		"other endings": {"a\r\nb\r\n", "a\nb\nc\n", " 1a  2b +3c"},
	} {
		if got := shown(Diff(c.before, c.after)); got != strings.TrimSpace(c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAHugeDiffIsStillTold(t *testing.T) {
	var a, b strings.Builder
	for n := range 3 * mostCompared {
		fmt.Fprintln(&a, "a", n)
		fmt.Fprintln(&b, "b", n)
	}
	if got := Diff(a.String(), b.String()); len(got) != 6*mostCompared {
		t.Errorf("%d lines", len(got))
	}
}
