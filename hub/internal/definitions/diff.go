package definitions

import (
	"slices"
	"strings"
)

// DiffLine is a line of a comparison.
type DiffLine struct {
	// Sign is '+' for a line that is new, '-' for one that is gone, ' ' for one that stays.
	Sign byte
	// Number is the line's in the text that has it: the new one, unless it is gone.
	Number int
	Text   string
}

// around is how many lines that stay are shown beside those that change.
const around = 3

// mostCompared bounds the lines between the common beginning and end of two texts that are
// compared one by one; beyond it all of them are shown as gone and new.
const mostCompared = 2000

// Diff compares two texts line by line; nil if they are the same. Of lines that stay only
// those near a change are there.
func Diff(before, after string) []DiffLine {
	if before == after {
		return nil
	}
	return near(compare(linesOf(before), linesOf(after)))
}

func linesOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
}

// compare lists all lines.
func compare(a, b []string) []DiffLine {
	head := 0
	for head < min(len(a), len(b)) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < min(len(a), len(b))-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var lines []DiffLine
	for n := range head {
		lines = append(lines, DiffLine{' ', n + 1, b[n]})
	}
	lines = append(lines, middle(a[head:len(a)-tail], b[head:len(b)-tail], head)...)
	for n := len(b) - tail; n < len(b); n++ {
		lines = append(lines, DiffLine{' ', n + 1, b[n]})
	}
	return lines
}

// middle compares by the longest common lines. offset is how many lines are before.
func middle(a, b []string, offset int) (lines []DiffLine) {
	common := lengths(a, b)
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case common != nil && i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, DiffLine{' ', offset + j + 1, b[j]})
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common == nil || common[i+1][j] >= common[i][j+1]):
			lines = append(lines, DiffLine{'-', offset + i + 1, a[i]})
			i++
		default:
			lines = append(lines, DiffLine{'+', offset + j + 1, b[j]})
			j++
		}
	}
	return lines
}

// lengths are those of the longest common lines of the rests of two texts; nil if they are
// too long to be compared.
func lengths(a, b []string) [][]int32 {
	if len(a) > mostCompared || len(b) > mostCompared {
		return nil
	}
	common := make([][]int32, len(a)+1)
	for i := range common {
		common[i] = make([]int32, len(b)+1)
	}
	for i, line := range slices.Backward(a) {
		for j, other := range slices.Backward(b) {
			if line == other {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	return common
}

// near leaves out lines that stay and are not beside a change.
func near(lines []DiffLine) (shown []DiffLine) {
	last := -1 // the last change seen so far
	next := nextChanges(lines)
	for n, line := range lines {
		if line.Sign != ' ' {
			last = n
		}
		if last >= 0 && n-last <= around || next[n]-n <= around {
			shown = append(shown, line)
		}
	}
	return shown
}

// nextChanges are, for each line, where the next change is.
func nextChanges(lines []DiffLine) []int {
	next := make([]int, len(lines))
	at := len(lines) + around + 1
	for n := len(lines) - 1; n >= 0; n-- {
		if lines[n].Sign != ' ' {
			at = n
		}
		next[n] = at
	}
	return next
}
