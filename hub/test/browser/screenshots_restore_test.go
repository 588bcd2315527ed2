package browser_test

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/internal/clock"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// TestScreenshotsOfARestore takes the pictures of what a restore and a copied folder leave;
// make screenshots runs it.
func TestScreenshotsOfARestore(t *testing.T) {
	dir := os.Getenv("EVERGRANT_SCREENSHOTS")
	if dir == "" {
		t.Skip("takes pictures of pages: make screenshots")
	}
	world := hubtest.StartWorld(t, time.Hour)
	r := startFurnished(t, world)
	var key struct{ ID string }
	r.Admin.Must(t, "POST", "/api/v1/api-keys", map[string]any{"title": "Bpium", "connections": []string{"sales-portal"}}, &key)
	r.Hub.Stop(t.Context())
	putBack(t, r.Dir, key.ID)
	r = r.Again(t)

	desk := &camera{Browser: hubtest.StartBrowser(t, 1280, 800), dir: dir, width: 1280, height: 800}
	link, err := r.Hub.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	desk.Open(link)
	desk.SetUp(r)
	desk.both("overview-held", r.Hub.URL()+"/")
	desk.both("restored-held", r.Hub.URL()+"/restored")
	hubtest.ExecIn(t, r.Dir, `UPDATE restores SET until = 1 WHERE open = 1`)
	hubtest.Eventually(t, "the hold ends", func() bool { return !r.Restore(t).Held })
	desk.both("overview-behind", r.Hub.URL()+"/")
	desk.both("restored-behind", r.Hub.URL()+"/restored")
	desk.both("withdrawn", r.Hub.URL()+"/withdrawn")
	desk.Open(r.Hub.URL() + "/withdrawn")
	desk.Click(`[data-opens="withdraw-again"]`)
	desk.light("withdrawn-ask", "en")
	desk.Open(r.Hub.URL() + "/restored")
	desk.Click(`input[name="all"]`)
	desk.Click(`input[value="send_links"]`)
	desk.Click(`form.eg-bulk button[type=submit]`)
	desk.Wait(`main form button.btn-danger`)
	desk.light("behind-decision", "en")
}

// TestScreenshotsOfDoubtedClocks takes the pictures of a hub whose clock has stepped while
// it was away: it begins no renewal and says so.
func TestScreenshotsOfDoubtedClocks(t *testing.T) {
	dir := os.Getenv("EVERGRANT_SCREENSHOTS")
	if dir == "" {
		t.Skip("takes pictures of pages: make screenshots")
	}
	r := startFurnished(t, hubtest.StartWorld(t, time.Hour))
	desk := &camera{Browser: hubtest.StartBrowser(t, 1280, 800), dir: dir, width: 1280, height: 800}
	link, err := r.Hub.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	desk.Open(link)
	desk.SetUp(r)
	r.Hub.Stop(t.Context())
	stepClocks(t, r.Dir, 1000*time.Second)
	r = r.Again(t)
	desk.both("overview-clock", r.Hub.URL()+"/")
}

// stepClocks makes of what a stopped hub has noted of clocks what it would have noted if
// they had stepped since.
func stepClocks(t *testing.T, dir string, by time.Duration) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, newest.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var noted string
	if err := db.QueryRowContext(t.Context(), `SELECT value FROM marks WHERE name = 'clocks'`).Scan(&noted); err != nil {
		t.Fatal(err)
	}
	var clocks clock.Remembered
	if err := json.Unmarshal([]byte(noted), &clocks); err != nil {
		t.Fatal(err)
	}
	clocks.Hub, clocks.Database = clocks.Hub.Add(by), clocks.Database.Add(by)
	changed, err := json.Marshal(clocks)
	if err == nil {
		_, err = db.ExecContext(t.Context(), `UPDATE marks SET value = ? WHERE name = 'clocks'`, string(changed))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// both takes a page in both languages, at a desk and on a phone.
func (c *camera) both(name, address string) {
	c.T.Helper()
	for _, lang := range []string{"ru", "en"} {
		c.Open(address)
		c.language(lang)
		for suffix, size := range map[string][2]int64{"": {1280, 800}, "-phone": {390, 844}} {
			c.width, c.height = size[0], size[1]
			c.Open(address)
			c.light(name+suffix, lang)
		}
		c.width, c.height = 1280, 800
		c.Do("the desk again", chromedp.EmulateViewport(c.width, c.height))
	}
}

// light takes the page that is open, in light alone.
func (c *camera) light(name, lang string) {
	c.T.Helper()
	name += "-light-" + lang
	c.Do("choose the theme", media("light"))
	c.Do("hold the page", chromedp.EmulateViewport(c.width, c.height))
	whole := hubtest.Script[int64](c.Browser, `document.documentElement.scrollHeight`)
	c.Do("hold the whole page", chromedp.EmulateViewport(c.width, max(c.height, whole)))
	image, err := chromedp.Run(c.Ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(c.dir, name+".png"), image, 0o600)
	}
	if err != nil {
		c.T.Fatalf("take %s: %v", name, err)
	}
}

// putBack makes of the database of a hub that is stopped one that was restored and is a
// copy, and of which two other hubs are known.
func putBack(t *testing.T, dir, keyID string) {
	t.Helper()
	hubtest.ExecIn(t, dir, `UPDATE connections SET due_at = 1 WHERE name IN ('sales-portal', 'warehouse', 'logistics')`)
	hubtest.ExecIn(t, dir, `UPDATE settings SET value = '{"machine":"0123456789abcdef","inode":1}' WHERE key = 'data_place'`)
	box, err := seal.Open(filepath.Join(dir, "evergrant.key"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{DataDir: dir, Box: box})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	others := []replicadb.Replica{
		{ID: "7f1f6f5e-44f1-4b0a-9a55-0f3f0f7c2a10", Epoch: 3, Name: "hub-msk-2", Version: "1.4.0", Place: "5d1c…/fd00/1a2b"},
		{ID: "b3a2c1d0-1111-4222-8333-444455556666", Epoch: 9, Name: "hub-spb-1", Version: "1.4.0", Place: "99aa…/fd00/77"},
	}
	for _, o := range others {
		if _, err := s.Replicas.EnterReplica(t.Context(), o, o.Epoch); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	if _, err := s.Replicas.BeginRestore(t.Context(), replicadb.Restore{ID: store.NewID(), Cause: replicadb.RestoreBackup, NoticedBy: "hub-msk-1", BackupAt: now.Add(-9 * time.Hour)}, 10*time.Minute, others); err != nil {
		t.Fatal(err)
	}
	err = s.Replicas.PublishWithdrawals(t.Context(), []replicadb.Withdrawal{
		{Act: "key.revoke", Kind: "key", Object: keyID, At: now.Add(-5 * time.Hour), PublishedBy: "hub-msk-2"},
		{Act: "connection.revoke", Kind: "connection", Object: "team-calendar", At: now.Add(-10 * time.Minute), PublishedBy: "hub-msk-2"},
		{Act: "connection.delete", Kind: "connection", Object: "cash-register-2", At: now.Add(-3 * time.Hour), PublishedBy: "hub-msk-1"},
	})
	if err != nil {
		t.Fatal(err)
	}
}
