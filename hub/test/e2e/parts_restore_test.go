package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/examples/workspace/workspacetest"
)

// bothParts checks the generations of the bot's and the person's connection, that they still
// share an authorization, and whose tokens a process gets.
func bothParts(t *testing.T, r *hubtest.Running, emulated *workspacetest.Server, generation int64) {
	t.Helper()
	bot, user := sharing(t, r, "sales"), sharing(t, r, "sales-user")
	if bot.Generation != generation || user.Generation != generation || bot.Main != "" || user.Main != "sales" || user.Part != "user" {
		t.Errorf("they are %+v and %+v, want generation %d", bot, user, generation)
	}
	process := r.Key(t, "sales", "sales-user")
	for name, account := range map[string]string{"sales": "bot", "sales-user": "ann"} {
		if got := emulated.Account(process.Pull(t, name).AccessToken); got != account {
			t.Errorf("the token of %s is of %q", name, got)
		}
	}
}

// notSpentTwice fails if the service got a code or a refresh token twice.
func notSpentTwice(t *testing.T, emulated *workspacetest.Server) {
	t.Helper()
	if _, double := emulated.Counts(); double != 0 {
		t.Errorf("%d codes or refresh tokens were spent twice", double)
	}
}

// A backup has both grants of one authorization. Restored, each is brought forward by the
// newest set that the folder has of it, as they rotate apart.
func TestBothGrantsOfAnAuthorizationComeBackFromABackup(t *testing.T) {
	t.Parallel()
	r, emulated, plugins := workspaceHub(t)
	_, _ = consent(t, r, "sales")
	cfg := configOf(t, r)
	made, err := hub.Backup(t.Context(), cfg, "test", t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	renew(t, r, "sales")
	renew(t, r, "sales-user")
	r.Hub.Stop(t.Context())
	if _, err := hub.Restore(t.Context(), cfg, made.File, true, nil); err != nil {
		t.Fatal(err)
	}
	r = workspaceAgain(t, r, plugins)
	if s := r.Restore(t); s.Noticed == nil || s.Noticed.Forwarded != 2 || s.Held || s.Behind != 0 {
		t.Errorf("%+v", s)
	}
	bothParts(t, r, emulated, 2)
	renewAtOnce(t, r, emulated, "sales", "sales-user")
	bothParts(t, r, emulated, 3)
	if status, page := consent(t, r, "sales-user"); status != http.StatusOK {
		t.Errorf("another authorization answered %d\n%s", status, page)
	}
	bothParts(t, r, emulated, 4)
	notSpentTwice(t, emulated)
}

// Where the folder is lost as well, either grant may be behind the backup. Nothing of them
// is sent until a person decides, and one authorization brings both back.
func TestBothGrantsOfAnAuthorizationWaitBehindABackup(t *testing.T) {
	t.Parallel()
	r, emulated, plugins := workspaceHub(t)
	_, _ = consent(t, r, "sales")
	r.Hub.Stop(t.Context())
	restore := taken(t, r.Dir)
	r = workspaceAgain(t, r, plugins)
	renew(t, r, "sales")
	renew(t, r, "sales-user")
	r.Hub.Stop(t.Context())
	restore()
	hubtest.ExecIn(t, r.Dir, `UPDATE connections SET due_at = 1`)
	for _, companion := range []string{"", "-wal", "-shm"} {
		if err := os.RemoveAll(filepath.Join(r.Dir, "newest.db"+companion)); err != nil {
			t.Fatal(err)
		}
	}
	r = workspaceAgain(t, r, plugins)
	var list struct{ Items []struct{ Connection string } }
	r.Admin.Must(t, "GET", "/api/v1/data/behind", nil, &list)
	var names []string
	for _, item := range list.Items {
		names = append(names, item.Connection)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"sales", "sales-user"}) {
		t.Fatalf("behind the backup are %q", names)
	}
	refusesToRenew(t, r, "sales")
	refusesToRenew(t, r, "sales-user")
	if status, page := consent(t, r, "sales"); status != http.StatusOK {
		t.Fatalf("another authorization answered %d\n%s", status, page)
	}
	bothParts(t, r, emulated, 2)
	hubtest.Eventually(t, "nothing is behind", func() bool { return r.Restore(t).Behind == 0 })
	renewAtOnce(t, r, emulated, "sales", "sales-user")
	bothParts(t, r, emulated, 3)
	notSpentTwice(t, emulated)
}
