package doctor

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/journal"
)

// lookAtJournal looks at the replies on disk.
func (d *deployment) lookAtJournal(context.Context) []Finding {
	data := d.o.Config.DataDir
	dir := filepath.Join(data, "journal")
	s, err := journal.Inspect(dir)
	switch {
	case err != nil:
		return []Finding{fail(dir+" cannot be read: "+err.Error(), "give the hub's user the folder; without it no renewal begins")}
	case !s.Exists && hasRun(data):
		return []Finding{fail("the folder "+dir+" is gone", "put it back if you have it: replies that were not saved are in it. A hub that runs makes it anew with what it knows, and so does the next start")}
	case !s.Exists:
		return []Finding{warn("there is none yet at "+dir, "the first start makes it")}
	}
	var found []Finding
	for _, k := range s.Unread {
		found = append(found, fail(
			fmt.Sprintf("%s: %d bytes from byte %d on cannot be read", filepath.Join(dir, k.Segment), k.Bytes, k.Offset),
			"the next start uses all that can be read and keeps the file in "+filepath.Join(dir, "damaged")+"; take a copy before, and look at the disk"))
	}
	for _, k := range s.Known {
		found = append(found, ofKnown(dir, k))
	}
	if len(found) > 0 {
		return found
	}
	return []Finding{ok(fmt.Sprintf("%d segments of %d bytes, nothing damaged", s.Segments, s.Bytes))}
}

// counted is how long a hub treats operations as uncertain because of damage.
const counted = 24 * time.Hour

func ofKnown(dir string, k journal.Damage) Finding {
	kept, do := k.KeptAs, "remove it from there when you have seen to it"
	if kept == "" {
		kept, do = "nothing is left of it", "remove its note from "+filepath.Join(dir, "damaged")+" when you have seen to it"
	} else {
		kept = "kept as " + kept
	}
	what := fmt.Sprintf("%s was damaged: %d bytes from byte %d on, noticed %s; %s", k.Segment, k.Bytes, k.Offset, k.Noticed.UTC().Format(time.RFC3339), kept)
	if time.Since(k.Noticed) > counted {
		return warn(what, do)
	}
	return fail(what, "a reply in it may be lost, so that connections have to be authorized again: look at the disk, and "+do)
}

// hasRun reports whether a hub has worked with a data folder: it has its spool of pulls.
func hasRun(data string) bool {
	_, err := os.Stat(filepath.Join(data, "pulls"))
	return err == nil
}

// lookAtReady checks whether the running hub is ready.
func (d *deployment) lookAtReady(ctx context.Context) []Finding {
	address := d.o.Config.PublicURL
	if address == "" {
		return []Finding{warn("public_url is not set, so the running hub cannot be asked", "set it")}
	}
	resp, err := d.get(ctx, address+"/readyz")
	if err != nil {
		return []Finding{warn("no hub answers at "+address, "the check callback says more")}
	}
	defer func() { _ = resp.Body.Close() }()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	switch resp.StatusCode {
	case http.StatusOK:
		return []Finding{ok("the hub says that it can do its job")}
	case http.StatusServiceUnavailable:
		var found []Finding
		for line := range strings.Lines(string(said)) {
			found = append(found, fail("the hub is not ready: "+strings.TrimSpace(line), "its log has the cause"))
		}
		if len(found) > 0 {
			return found
		}
	}
	return []Finding{warn(fmt.Sprintf("%s/readyz answers %d", address, resp.StatusCode), "does the proxy lead to the hub?")}
}
