package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Level is the severity of a Finding.
type Level string

// The levels. Only Fail makes the command fail.
const (
	OK   Level = "ok"
	Warn Level = "warn"
	Fail Level = "fail"
)

// Finding is what a check saw.
type Finding struct {
	Check string `json:"check"`
	Level Level  `json:"level"`
	// What was seen, without a secret.
	What string `json:"what"`
	// Do is what to do about it; "" if nothing is.
	Do string `json:"do,omitempty"`
}

// Check looks at one part of a deployment.
type Check struct {
	// Name is one word, for the first column.
	Name string
	// Look returns what it saw, at least one Finding. It may take as long as ctx lasts.
	Look func(ctx context.Context) []Finding
}

// lookFor bounds one check.
const lookFor = 30 * time.Second

// Run goes through the checks one after another. A check that panics has failed.
func Run(ctx context.Context, checks []Check) []Finding {
	var all []Finding
	for _, c := range checks {
		for _, f := range look(ctx, c) {
			f.Check, f.What, f.Do = c.Name, oneLine(f.What), oneLine(f.Do)
			all = append(all, f)
		}
	}
	return all
}

// oneLine keeps a Finding on its line: errors of several causes have one each.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

func look(ctx context.Context, c Check) (found []Finding) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			found = []Finding{fail(fmt.Sprintf("the check itself broke: %v", r), "report this")}
		}
	}()
	return c.Look(ctx)
}

// Failed counts the findings that make a deployment unfit.
func Failed(found []Finding) (n int) {
	for _, f := range found {
		if f.Level == Fail {
			n++
		}
	}
	return n
}

func ok(what string) Finding       { return Finding{Level: OK, What: what} }
func warn(what, do string) Finding { return Finding{Level: Warn, What: what, Do: do} }
func fail(what, do string) Finding { return Finding{Level: Fail, What: what, Do: do} }
