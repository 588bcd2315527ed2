package jobs

import (
	"context"
	"fmt"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// unfinished are the states of jobs that are not done.
var unfinished = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

// States are the states that Unfinished counts by, by name.
var States = names(unfinished)

// page is how many jobs are read at a time. Periodic work makes few: one for each work and
// period.
const page = 1_000

// Unfinished counts the jobs that are not done, by state, as River lists them: it has no
// count. On SQLite it waits for the connection that writes, so ctx should bound it.
func (j *Jobs) Unfinished(ctx context.Context) (map[string]int, error) {
	counts := make(map[string]int, len(States))
	params := river.NewJobListParams().States(unfinished...).OrderBy(river.JobListOrderByID, river.SortOrderAsc).First(page)
	for {
		found, err := j.list(ctx, params)
		if err != nil {
			return nil, fmt.Errorf("list the background jobs: %w", err)
		}
		for _, job := range found.Jobs {
			counts[string(job.State)]++
		}
		if len(found.Jobs) < page {
			return counts, nil
		}
		params = params.After(found.LastCursor)
	}
}

func names(states []rivertype.JobState) []string {
	list := make([]string, len(states))
	for i, s := range states {
		list[i] = string(s)
	}
	return list
}
