package e2e_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// Whoever reads the audit record finds an act by its day, and reads it in words.
func TestTheAuditRecordIsFoundByDay(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	// The reader's days are those of the browser's zone; the hub's tests have none.
	day := func(days int) string { return time.Now().UTC().AddDate(0, 0, days).Format(time.DateOnly) }
	for _, tt := range []struct {
		from, to string
		found    bool
	}{
		{"", "", true},
		{day(-1), day(1), true},
		{day(-1), "", true},
		{"", day(1), true},
		{day(2), "", false},
		{"", day(-2), false},
		{day(2), day(-2), false},
	} {
		q := url.Values{"act": {"person."}, "from": {tt.from}, "to": {tt.to}}.Encode()
		_, page, _ := boss.Ask("GET", "/audit?"+q, nil)
		if found := strings.Contains(page, "Logged in") && strings.Contains(page, "person.login"); found != tt.found {
			t.Errorf("from %q to %q: the login is found: %t", tt.from, tt.to, found)
		}
		_, table, _ := boss.Ask("GET", "/audit.csv?"+q, nil)
		if found := strings.Contains(table, "person.login"); found != tt.found {
			t.Errorf("from %q to %q: the login is exported: %t", tt.from, tt.to, found)
		}
	}
	_, table, _ := boss.Ask("GET", "/audit.csv?outcome=done", nil)
	if head, _, _ := strings.Cut(table, "\n"); !strings.HasSuffix(head, ",detail,outcome") || !strings.Contains(table, ",done\n") {
		t.Errorf("the export begins with %s", head)
	}
	if _, table, _ = boss.Ask("GET", "/audit.csv?outcome=failed", nil); strings.Count(table, "\n") != 1 {
		t.Errorf("nothing has failed, and the export has %s", table)
	}
	_, page, _ := boss.Ask("GET", "/audit?from=yesterday&to="+day(0), nil)
	if !strings.Contains(page, "This is no date: yesterday") {
		t.Error("a day that is none is not told")
	}
}
