package e2e_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

type withdrawal struct{ Act, Object, Problem string }

func withdrawn(t *testing.T, r *hubtest.Running, method, path string) (acts []string) {
	t.Helper()
	var answer struct{ Items []withdrawal }
	r.Admin.Must(t, method, "/api/v1/data/"+path, nil, &answer)
	for _, w := range answer.Items {
		if w.Problem != "" {
			t.Errorf("%+v", w)
		}
		acts = append(acts, w.Act)
	}
	slices.Sort(acts)
	return acts
}

// A restore brings back what was withdrawn after the backup; the data folder knows of it.
func TestWhatARestoreBringsBackIsWithdrawnAgain(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	revoked := r.AddService(t, world.Service("oauth2"))
	deleted := r.AddService(t, world.Service("bitrix24"))
	for _, connection := range []string{revoked, deleted} {
		r.Authorize(t, connection)
	}
	var key struct{ ID, Key string }
	r.Admin.Must(t, "POST", "/api/v1/api-keys", map[string]any{"title": "leaked", "connections": []string{revoked}}, &key)
	cfg := configOf(t, r)
	made, err := hub.Backup(t.Context(), cfg, "test", t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Admin.Must(t, "DELETE", "/api/v1/api-keys/"+key.ID, nil, nil)
	r.Admin.Must(t, "POST", "/api/v1/connections/"+revoked+"/revoke", nil, nil)
	r.Admin.Must(t, "DELETE", "/api/v1/connections/"+deleted, nil, nil)
	if acts := withdrawn(t, r, "GET", "withdrawn"); len(acts) != 0 {
		t.Errorf("before the restore %v is back", acts)
	}
	r.Hub.Stop(t.Context())
	if _, err := hub.Restore(t.Context(), cfg, made.File, true, nil); err != nil {
		t.Fatal(err)
	}
	again := hubtest.StartHubIn(t, r.Dir, map[string]any{"key.file": filepath.Join(r.Dir, "evergrant.key")})
	want := []string{"connection.delete", "connection.revoke", "key.revoke"}
	if acts := withdrawn(t, again, "GET", "withdrawn"); !slices.Equal(acts, want) {
		t.Errorf("back are %v", acts)
	}
	if acts := withdrawn(t, again, "POST", "withdraw"); !slices.Equal(acts, want) {
		t.Errorf("withdrawn are %v", acts)
	}
	if acts := withdrawn(t, again, "GET", "withdrawn"); len(acts) != 0 {
		t.Errorf("afterwards %v is back", acts)
	}
	leaked := &hubtest.Client{Base: again.Hub.URL(), Key: key.Key}
	if status, _ := leaked.Do(t, "GET", "/api/v1/connections/"+revoked+"/token", nil); status != 401 {
		t.Errorf("the key that was revoked answers %d", status)
	}
	if v := again.View(t, revoked); v.Status != "revoked" {
		t.Errorf("the grant that was given back is %s", v.Status)
	}
}
