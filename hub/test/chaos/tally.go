package main

import "fmt"

// tally is what a part has found.
type tally struct {
	renewals, lost, doubleSpent, stale int
	// declared are grants that the protocol does not let anybody keep, and that
	// ended as the provider's declaration says.
	declared int
	// killedOut are grants that ended because their hub was killed between the
	// request and its answer.
	killedOut int
	problems  []string
}

func (t *tally) problem(format string, args ...any) {
	t.problems = append(t.problems, fmt.Sprintf(format, args...))
}

func (t *tally) add(o tally) {
	t.renewals += o.renewals
	t.lost += o.lost
	t.doubleSpent += o.doubleSpent
	t.stale += o.stale
	t.declared += o.declared
	t.killedOut += o.killedOut
	t.problems = append(t.problems, o.problems...)
}

func (t *tally) failed() bool {
	return t.lost > 0 || t.doubleSpent > 0 || t.stale > 0 || len(t.problems) > 0
}

func (t *tally) line() string {
	return fmt.Sprintf("%d renewals, %d lost, %d double-spent, %d stale", t.renewals, t.lost, t.doubleSpent, t.stale)
}
