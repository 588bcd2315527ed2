package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/sdk/provider"
)

// The generated part of the page is between these lines.
const (
	tableBegins = "<!-- crash matrix: written by make chaos -->"
	tableEnds   = "<!-- /crash matrix -->"
)

// printMatrix writes a line for each victim and kind.
func printMatrix(st *stage, results []result, kinds []provider.RotationKind) {
	for _, who := range victims {
		for _, kind := range kinds {
			counts, slowest := map[fate]int{}, time.Duration(0)
			for _, r := range results {
				if r.who.id == who.id && r.kind == kind {
					counts[r.fate]++
					slowest = max(slowest, r.took)
				}
			}
			var said []string
			for _, f := range []fate{kept, tried, ended, lost} {
				if counts[f] > 0 {
					said = append(said, fmt.Sprintf("%d %s", counts[f], f))
				}
			}
			st.say("   %-9s %-27s %s; the slowest took %s", who.id, kind, strings.Join(said, ", "), slowest.Round(time.Millisecond))
		}
	}
}

// table is the matrix as Markdown.
func table(results []result, kinds []provider.RotationKind) []byte {
	var b bytes.Buffer
	for _, who := range victims {
		fmt.Fprintf(&b, "### %s\n\n| killed at |", who.title)
		for _, kind := range kinds {
			fmt.Fprintf(&b, " `%s` |", kind)
		}
		fmt.Fprintf(&b, "\n|---|%s\n", strings.Repeat("---|", len(kinds)))
		for _, step := range crashpoint.Steps {
			if !slices.ContainsFunc(results, func(r result) bool { return r.who.id == who.id && r.step == step }) {
				continue
			}
			fmt.Fprintf(&b, "| %s |", step)
			for _, kind := range kinds {
				for _, r := range results {
					if r.who.id == who.id && r.kind == kind && r.step == step {
						fmt.Fprintf(&b, " %s |", r.fate)
					}
				}
			}
			b.WriteByte('\n')
		}
		median, slowest := times(results, who)
		fmt.Fprintf(&b, "\nOf those that were kept, half took less than %.1f s, the slowest %.1f s.\n\n", median.Seconds(), slowest.Seconds())
	}
	return b.Bytes()
}

// times are of the grants that live.
func times(results []result, who victim) (median, slowest time.Duration) {
	var took []time.Duration
	for _, r := range results {
		if r.who.id == who.id && r.fate == kept {
			took = append(took, r.took)
		}
	}
	if len(took) == 0 {
		return 0, 0
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)-1]
}

// writeMatrix replaces the generated part of a page.
func writeMatrix(path string, results []result, kinds []provider.RotationKind) error {
	return writeBetween(path, tableBegins, tableEnds, func(string) []byte { return table(results, kinds) })
}

// writing keeps a page whole.
var writing sync.Mutex

// writeBetween replaces what a page has between two lines.
func writeBetween(path, begins, ends string, text func(before string) []byte) error {
	writing.Lock()
	defer writing.Unlock()
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begun := bytes.Cut(page, []byte(begins))
	between, after, ended := bytes.Cut(rest, []byte(ends))
	if !begun || !ended {
		return fmt.Errorf("%s has no place for what is between %q and %q", path, begins, ends)
	}
	var b bytes.Buffer
	b.Write(before)
	fmt.Fprintf(&b, "%s\n\n%s%s%s", begins, text(string(between)), ends, after)
	return os.WriteFile(path, b.Bytes(), 0o644) //nolint:gosec // a page of the documentation
}
