package e2e_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// What may not be renewed may still be saved: the reply is there already.
func TestAReplyInTheJournalIsSavedForAConnectionThatWasPausedMeanwhile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := hubtest.StartHubIn(t, dir, nil)
	server, connection := bitrix24(t, r, time.Hour)
	process := r.Key(t, connection)
	first := process.Pull(t, connection)
	stopBeforeSave(t, r, server, connection)

	change(t, dir, "UPDATE connections SET state = 'paused', due_at = 0")
	again := hubtest.StartHubIn(t, dir, nil)
	if v := again.View(t, connection); v.Status != "paused" || v.Generation != first.Generation+1 {
		t.Fatalf("the connection is %s at generation %d", v.Status, v.Generation)
	}
	process.Base = again.Hub.URL()
	again.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/resume", nil, nil)
	if after := process.Pull(t, connection); server.TokenState(after.AccessToken) != "valid" {
		t.Errorf("the token is %s", server.TokenState(after.AccessToken))
	}
}

// change changes a hub's database from outside.
func change(t *testing.T, dir, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "evergrant.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// As when the commit of an intent got no answer, and taking it back did not
// either.
func TestAnOpenIntentThatNobodyWorksOnIsFoundByTheHubThatBeganIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := hubtest.StartHubIn(t, dir, map[string]any{"renewal.lease": "6s", "renewal.request_timeout": "5s"})
	server, connection := bitrix24(t, r, time.Hour)
	begun := time.Now().Add(-time.Minute).UnixMilli()
	change(t, dir, `INSERT INTO intents (id, connection_id, generation, fingerprint, owner, started_at, deadline)
		SELECT 'left-behind', id, generation, '', (SELECT owner FROM replicas), ?, ? FROM connections`, begun, begun)
	hubtest.Eventually(t, "the renewal is taken up", func() bool { return r.View(t, connection).Generation == 2 })
	if server.Spent() != 0 {
		t.Errorf("%d refresh tokens were spent twice", server.Spent())
	}
}

// Nobody can read the reply without the plugin, and it holds the only live
// refresh token.
func TestAReplyInTheJournalWaitsForAPluginThatIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := hubtest.StartHubIn(t, dir, nil)
	server, connection := bitrix24(t, r, time.Hour)
	process := r.Key(t, connection)
	first := process.Pull(t, connection)
	stopBeforeSave(t, r, server, connection)
	// The reply was read before the stop, so the hub's own copy would do without a plugin.
	// Here the reply in the journal is all there is.
	kept, err := filepath.Glob(filepath.Join(dir, "newest.db*"))
	if err != nil || len(kept) == 0 {
		t.Fatalf("the hub has no copy of its own: %v, %v", kept, err)
	}
	for _, file := range kept {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}

	without := hubtest.StartHubIn(t, dir, map[string]any{"plugins.dir": t.TempDir()})
	if v := without.View(t, connection); v.Generation != first.Generation || v.LastError == nil {
		t.Fatalf("without its plugin the connection is %s at generation %d", v.Status, v.Generation)
	}
	without.Hub.Stop(t.Context())
	again := hubtest.StartHubIn(t, dir, nil)
	process.Base = again.Hub.URL()
	after := process.Pull(t, connection)
	if after.Generation != first.Generation+1 || server.TokenState(after.AccessToken) != "valid" {
		t.Errorf("generation %d after %d, the token is %s", after.Generation, first.Generation, server.TokenState(after.AccessToken))
	}
}
