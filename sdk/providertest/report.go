package providertest

import (
	"context"
	"errors"
	"io/fs"

	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Result is how one check went, for reports of programs that are no Go test.
type Result struct {
	// Name is that of the subtest that Run would make.
	Name    string `json:"name"`
	Promise string `json:"promise,omitempty"`
	// Problem is what broke the promise; empty if nothing did.
	Problem string `json:"problem,omitempty"`
	// Gap is why the check was not made, as Config.Gaps declares it.
	Gap string `json:"gap,omitempty"`
}

// Passed reports whether the check was made and held.
func (r Result) Passed() bool { return r.Problem == "" && r.Gap == "" }

// Prove is Run outside of go test: it makes every check and returns all
// results. An error means that the provider could not be tested at all.
func Prove(ctx context.Context, config Config) ([]Result, error) {
	s, err := newSuite(ctx, config)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	var results []Result
	for _, c := range checks {
		r := Result{Name: c.name, Promise: c.promise, Gap: config.Gaps[c.name]}
		if r.Gap == "" {
			r.Problem = problemOf(c.run(ctx, s))
		}
		results = append(results, r)
	}
	if config.Replies == nil {
		s.judgeSpilled(results)
		return results, ctx.Err()
	}
	names, err := fs.Glob(config.Replies, "*.http")
	if err == nil && len(names) == 0 {
		err = errors.New("no recorded replies (*.http) were found")
	}
	for _, name := range names {
		results = append(results, Result{
			Name: "reply/" + name, Promise: "a recorded reply means what its header says", Problem: problemOf(s.checkReply(ctx, name)),
		})
	}
	s.judgeSpilled(results)
	return results, errors.Join(err, ctx.Err())
}

// judgeSpilled ends the plugin and corrects the result about logs.
func (s *suite) judgeSpilled(results []Result) {
	s.stop()
	for i := range results {
		if r := &results[i]; r.Name == "no-secret-in-logs" && r.Gap == "" && r.Problem == "" {
			r.Problem = s.spilled()
		}
	}
}

func problemOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Renews reports whether results prove that the provider renews tokens as it
// declares: every check about a token request and where it goes held, and none was
// left out.
func Renews(results []Result) bool {
	needed := map[string]bool{"one-request": true, "lifetime": true, "declared-hosts": true, "no-retry": true, "outage": true, "malformed-reply": true, "who-has-to-act": true, "replay": true}
	for _, r := range results {
		if needed[r.Name] && !r.Passed() {
			return false
		}
		delete(needed, r.Name)
	}
	return len(needed) == 0
}

// Ask starts a built plugin and returns its description of itself. start is as
// Config.Start.
func Ask(ctx context.Context, binary string, start Starter) (*providerplugin.PluginInfo, error) {
	client, stop, err := serve(Config{Binary: binary, Start: start}, &buffer{})
	if err != nil {
		return nil, err
	}
	defer stop()
	return client.Describe(ctx)
}

// Replays runs every operation twice, the second time with the replies of the first, as a
// hub does when the plugin exits in between. The error names the first request that is
// another one then. It is the check "replay" alone, for tools that want it often.
func Replays(ctx context.Context, config Config) error {
	s, err := newSuite(ctx, config)
	if err != nil {
		return err
	}
	defer s.stop()
	return checkReplay(ctx, s)
}

// Checks are the names of all checks, which Config.Gaps may have.
func Checks() []string {
	names := make([]string, 0, len(checks))
	for _, c := range checks {
		names = append(names, c.name)
	}
	return names
}
