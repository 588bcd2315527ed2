package audit

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
)

// ActPullSum is the act of a record that sums up an hour of pulls by one key, of one
// connection, from one address.
const ActPullSum = "token.pull_sum"

// SummedAfter is how long the single records of pulls are kept.
const SummedAfter = 24 * time.Hour

// SumPulls summarizes by the hour the pulls that were recorded more than a day ago. API
// key, connection, number, and the first and the last time are kept. It returns how many
// records were replaced.
func SumPulls(ctx context.Context, st *store.Store, now time.Time) (int, error) {
	return st.Audit.SumPulls(ctx, now.Add(-SummedAfter).Truncate(time.Hour), sumByHour)
}

// hourOf is what one sum is about.
type hourOf struct {
	actor, address, connection string
	hour                       int64
}

// sumByHour makes the sums of records of pulls, the earliest hour first.
func sumByHour(records []auditdb.AuditRecord) ([]auditdb.AuditRecord, error) {
	type sum struct {
		auditdb.AuditRecord

		pulls, records int
		since          time.Time
	}
	sums := map[hourOf]*sum{}
	for _, r := range records {
		of := hourOf{r.Actor, r.Address, r.Object, r.At.Truncate(time.Hour).Unix()}
		t := sums[of]
		if t == nil {
			t = &sum{AuditRecord: r, since: r.At}
			sums[of] = t
		}
		t.pulls += pullsOf(r)
		t.records++
		if r.At.After(t.At) {
			t.At = r.At
		}
		if since := sinceOf(r); since.Before(t.since) {
			t.since = since
		}
	}
	made := make([]auditdb.AuditRecord, 0, len(sums))
	for _, t := range sums {
		t.Act = ActPullSum
		t.Detail = map[string]string{
			"pulls": strconv.Itoa(t.pulls), "since": t.since.UTC().Format(time.RFC3339), "until": t.At.UTC().Format(time.RFC3339), "records": strconv.Itoa(t.records),
		}
		made = append(made, t.AuditRecord)
	}
	slices.SortFunc(made, func(a, b auditdb.AuditRecord) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Object, b.Object), cmp.Compare(a.Actor, b.Actor), cmp.Compare(a.Address, b.Address))
	})
	return made, nil
}

// pullsOf is the number of pulls of a record; one without a number counts as one.
func pullsOf(r auditdb.AuditRecord) int {
	n, err := strconv.Atoi(r.Detail["pulls"])
	if err != nil {
		return 1
	}
	return n
}

// sinceOf is the time of the first of a record's pulls.
func sinceOf(r auditdb.AuditRecord) time.Time {
	since, err := time.Parse(time.RFC3339, r.Detail["since"])
	if err != nil {
		return r.At
	}
	return since
}
