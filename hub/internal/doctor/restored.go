package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// lookAtRestores says what the last restore of the database has left to wait for and to
// decide.
func (d *deployment) lookAtRestores(ctx context.Context) []Finding {
	if d.db == nil {
		return []Finding{warn("there is no database to ask", "")}
	}
	at, behind, err := d.db.Restores(ctx)
	switch {
	case err != nil:
		return []Finding{warn("it cannot be read", "a database of an older version has none; the next start makes it")}
	case at.Newest.ID == "":
		return []Finding{ok("none was noticed")}
	}
	said := "noticed " + at.Newest.NoticedAt.UTC().Format(time.RFC3339) + " by " + at.Newest.NoticedBy
	var found []Finding
	if at.Newest.Held() {
		found = append(found, warn(fmt.Sprintf("%s: grants that rotate wait until %s at most for %s", said, at.Newest.Until.UTC().Format(time.RFC3339), d.awaited(ctx, at.Newest.ID)),
			"start every hub with its own data folder, also those that were added after the backup"))
	}
	if behind > 0 && !at.Newest.Held() {
		found = append(found, fail(fmt.Sprintf("%s: %d grants may be behind the backup and are not renewed", said, behind), "decide on the page /restored, or: evergrant data behind"))
	}
	if len(found) == 0 {
		found = append(found, ok(said+": all is compared and decided"))
	}
	return found
}

// awaited names the replicas that have not compared.
func (d *deployment) awaited(ctx context.Context, id string) string {
	all, err := d.db.RestoreReplicas(ctx, id)
	var names []string
	for _, r := range all {
		if r.ComparedAt.IsZero() {
			names = append(names, r.Name+" ("+r.ID+")")
		}
	}
	if err != nil || len(names) == 0 {
		return "hubs to compare"
	}
	return strings.Join(names, ", ")
}
