package hub_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub"
)

type withdrawal struct{ Act, Object, Problem string }

func (r *running) withdrawn(t *testing.T, method, path string) (acts []string) {
	t.Helper()
	var answer struct{ Items []withdrawal }
	r.admin.must(t, method, "/api/v1/data/"+path, nil, &answer)
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
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	revoked := r.addService(t, world.Service("oauth2"))
	deleted := r.addService(t, world.Service("bitrix24"))
	for _, connection := range []string{revoked, deleted} {
		r.authorise(t, connection)
	}
	var key struct{ ID, Key string }
	r.admin.must(t, "POST", "/api/v1/api-keys", map[string]any{"title": "leaked", "connections": []string{revoked}}, &key)
	cfg := configOf(t, r)
	made, err := hub.Backup(t.Context(), cfg, "test", t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.admin.must(t, "DELETE", "/api/v1/api-keys/"+key.ID, nil, nil)
	r.admin.must(t, "POST", "/api/v1/connections/"+revoked+"/revoke", nil, nil)
	r.admin.must(t, "DELETE", "/api/v1/connections/"+deleted, nil, nil)
	if acts := r.withdrawn(t, "GET", "withdrawn"); len(acts) != 0 {
		t.Errorf("before the restore %v is back", acts)
	}
	r.hub.Stop(t.Context())
	if _, err := hub.Restore(t.Context(), cfg, made.File, true, nil); err != nil {
		t.Fatal(err)
	}
	again := startHubIn(t, r.dir, map[string]any{"key.file": filepath.Join(r.dir, "evergrant.key")})
	want := []string{"connection.delete", "connection.revoke", "key.revoke"}
	if acts := again.withdrawn(t, "GET", "withdrawn"); !slices.Equal(acts, want) {
		t.Errorf("back are %v", acts)
	}
	if acts := again.withdrawn(t, "POST", "withdraw"); !slices.Equal(acts, want) {
		t.Errorf("withdrawn are %v", acts)
	}
	if acts := again.withdrawn(t, "GET", "withdrawn"); len(acts) != 0 {
		t.Errorf("afterwards %v is back", acts)
	}
	leaked := &client{base: again.hub.URL(), key: key.Key}
	if status, _ := leaked.do(t, "GET", "/api/v1/connections/"+revoked+"/token", nil); status != 401 {
		t.Errorf("the key that was revoked answers %d", status)
	}
	if v := again.view(t, revoked); v.Status != "revoked" {
		t.Errorf("the grant that was given back is %s", v.Status)
	}
}
