package e2e_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/statickeys/statickeystest"
)

// generations are the replaced token sets of a connection, as the API lists them.
type generations struct {
	Items []struct {
		Generation int64
		ValidUntil *time.Time `json:"valid_until"`
		Restorable bool
	}
}

// A key that was replaced is kept, sealed, and can be put back until its own end. A key that
// the service refuses, or cannot be asked about, replaces nothing.
func TestAReplacedKeyIsKeptUntilItsEnd(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	emulated := statickeystest.New()
	address, err := emulated.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = emulated.Close() })
	service(t, r, "shop", "api-key", map[string]any{"options": map[string]any{"header": statickeystest.Header, "check_url": address + "/me"}})
	const at = "/api/v1/connections/shop"
	replace := func(key string, ends time.Time) (kind string) {
		t.Helper()
		status, answer := r.Admin.Do(t, "POST", at+"/token-set", map[string]any{"fields": map[string]any{"key": key}, "ends_at": ends})
		var problem struct{ Kind string }
		if err := json.Unmarshal(answer, &problem); err != nil || (status == http.StatusOK) != (problem.Kind == "") {
			t.Fatalf("a key is answered %d %s", status, answer)
		}
		return problem.Kind
	}
	life := 30 * 24 * time.Hour
	ends := time.Now().Add(20 * 24 * time.Hour).UTC().Truncate(time.Second)
	brief, old, fresh := emulated.Make(life), emulated.Make(life), emulated.Make(life)
	soon := time.Now().Add(2 * time.Second)
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": "shop", "name": "shop", "fields": map[string]any{"key": brief}, "ends_at": soon}, nil)
	process := r.Key(t, "shop")
	for _, key := range []string{old, fresh} {
		if kind := replace(key, ends); kind != "" {
			t.Fatalf("a good key is refused: %s", kind)
		}
	}
	if kind := replace("wrong-key-1234567", ends); kind != "reauthorization_required" {
		t.Errorf("a key that the service refuses: %q", kind)
	}
	if got := process.Pull(t, "shop"); got.AccessToken != fresh || got.Generation != 3 {
		t.Errorf("the process gets the key in force: %t, generation %d", got.AccessToken == fresh, got.Generation)
	}
	hubtest.Until(t, soon)
	var kept generations
	if r.Admin.Must(t, "GET", at+"/generations", nil, &kept); len(kept.Items) != 2 || kept.Items[0].Generation != 2 || !kept.Items[0].Restorable || kept.Items[1].Restorable ||
		kept.Items[0].ValidUntil == nil || kept.Items[0].ValidUntil.Sub(ends).Abs() > time.Second {
		t.Errorf("kept are %+v", kept.Items)
	}
	wantSealed(t, r.Dir, brief, old, fresh)
	r.Admin.Must(t, "POST", at+"/restore", map[string]any{}, nil)
	if got := process.Pull(t, "shop"); got.AccessToken != old || got.Generation != 4 {
		t.Errorf("the process gets the key that was put back: %t, generation %d", got.AccessToken == old, got.Generation)
	}
	if err := emulated.Close(); err != nil {
		t.Fatal(err)
	}
	if kind := replace(fresh, ends); kind != "transient" {
		t.Errorf("a key that nobody can be asked about: %q", kind)
	}
	if got := process.Pull(t, "shop"); got.AccessToken != old || got.Generation != 4 {
		t.Errorf("after an outage the process gets the key in force: %t, generation %d", got.AccessToken == old, got.Generation)
	}
}

// wantSealed wants none of the secrets in the files of a folder.
func wantSealed(t *testing.T, dir string, secrets ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, secret := range secrets {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("a key is readable in %s", path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
