package connection_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

func TestReportedScopesAreAskedForUntilTheyAreGranted(t *testing.T) {
	now := time.Now()
	list := func(text string) []string { return strings.Fields(text) }
	for name, tt := range map[string]struct {
		granted            []string // nil: the service did not say
		requested, reports string
		declined           bool
		fresh, lacked      string
		asked, missing     string
	}{
		"nothing reported":             {list("a"), "a b", "", false, "", "", "s", "b"},
		"a new one":                    {list("a"), "a", "x", false, "x", "x", "s a x", "x"},
		"one that was requested":       {list("a"), "a b", "b", false, "b", "b", "s a b", "b"},
		"one that is granted":          {list("a x"), "a", "x", false, "", "", "s", ""},
		"twice":                        {list("a"), "a", "x x", false, "x", "x", "s a x", "x"},
		"granted was not said":         {nil, "a x", "x", false, "", "", "s", ""},
		"granted was not said, lacked": {nil, "a", "x", false, "x", "x", "s a x", "x"},
		"declined":                     {list("a"), "a", "x", true, "x", "", "s", "x"},
		"nothing was granted":          {[]string{}, "a", "x", false, "x", "x", "s a x", "a x"},
	} {
		c := connection.Connection{RequestedScopes: list(tt.requested)}
		c.Tokens.Scopes = tt.granted
		c, fresh, err := c.NeedScopes(now, list(tt.reports))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if tt.declined {
			c = c.DeclineScopes()
		}
		for what, got := range map[string][2]string{
			"fresh": {strings.Join(fresh, " "), tt.fresh}, "lacked": {strings.Join(c.LackedScopes(), " "), tt.lacked},
			"asked": {strings.Join(c.ScopesToAsk([]string{"s"}), " "), tt.asked}, "missing": {strings.Join(c.MissingScopes(), " "), tt.missing},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: %s are %q, want %q", name, what, got[0], got[1])
			}
		}
		if _, again, err := c.NeedScopes(now, list(tt.reports)); len(again) > 0 || err != nil {
			t.Errorf("%s: reported again, fresh are %q: %v", name, again, err)
		}
	}
}

// What was requested once and declined since is not asked for again.
func TestDeclinedScopesAreNotAskedFor(t *testing.T) {
	c := connection.Connection{RequestedScopes: []string{"a", "x", "y"}}
	c.Tokens.Scopes = []string{"a", "x"}
	c, _, err := c.NeedScopes(time.Now(), []string{"y", "z"})
	if err != nil {
		t.Fatal(err)
	}
	c = c.DeclineScopes()
	if c, _, err = c.NeedScopes(time.Now(), []string{"w"}); err != nil {
		t.Fatal(err)
	}
	if asked := strings.Join(c.ScopesToAsk([]string{"a"}), " "); asked != "a x w" {
		t.Errorf("asked for are %q", asked)
	}
}

func TestReportsOfScopesAreBounded(t *testing.T) {
	now := time.Now()
	for _, scope := range []string{"", "two words", "quo\"te", "back\\slash", "näh", "\x00", strings.Repeat("x", 257)} {
		if _, _, err := (connection.Connection{}).NeedScopes(now, []string{scope}); err == nil {
			t.Errorf("%q was taken", scope)
		}
	}
	var c connection.Connection
	for n := range 50 {
		var err error
		if c, _, err = c.NeedScopes(now, []string{fmt.Sprint("scope:", n)}); err != nil {
			t.Fatal(err)
		}
	}
	before := slices.Clone(c.ScopeNeeds)
	after, fresh, err := c.NeedScopes(now, []string{"one:more"})
	if _, refused := errors.AsType[*connection.NeedsError](err); !refused || len(fresh) > 0 || !slices.Equal(after.ScopeNeeds, before) {
		t.Errorf("fresh are %q: %v", fresh, err)
	}
}
