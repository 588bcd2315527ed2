package e2e_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// A key with admin:* that ends, and works from one place, makes none that goes on, or works
// from elsewhere, however it is asked.
func TestAKeyMakesNoneThatIsWorthMore(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	secret := hubtest.KeyRE.FindString(boss.Follow("/keys/new", url.Values{"title": {"by hand"}, "which": {"admin"}, "life": {"365d"}, "addresses": {"127.0.0.0/8"}}))
	if secret == "" {
		t.Fatal("there is no key")
	}
	maker := r.With(secret)
	var keys struct {
		Items []struct {
			ID, Title string
			Addresses []string
			ExpiresAt *time.Time `json:"expires_at"`
		}
	}
	maker.Must(t, "GET", "/api/v1/api-keys", nil, &keys)
	var end time.Time
	for _, k := range keys.Items {
		if k.Title == "by hand" && k.ExpiresAt != nil {
			end = *k.ExpiresAt
		}
	}
	if end.IsZero() {
		t.Fatalf("the key has no end: %+v", keys)
	}
	for what, test := range map[string]struct {
		body map[string]any
		want int
	}{
		"as long":               {map[string]any{"title": "a", "expires_at": end}, http.StatusCreated},
		"longer":                {map[string]any{"title": "b", "expires_at": end.Add(time.Hour)}, http.StatusUnprocessableEntity},
		"longer, administering": {map[string]any{"title": "c", "scopes": []string{"admin:*"}, "expires_at": end.AddDate(9, 0, 0)}, http.StatusUnprocessableEntity},
		"from within":           {map[string]any{"title": "d", "addresses": []string{"127.0.0.1"}}, http.StatusCreated},
		"from everywhere":       {map[string]any{"title": "e", "addresses": []string{"0.0.0.0/0"}}, http.StatusUnprocessableEntity},
		"from elsewhere":        {map[string]any{"title": "f", "addresses": []string{"127.0.0.1", "2001:db8::/32"}}, http.StatusUnprocessableEntity},
	} {
		if status, answer := maker.Do(t, "POST", "/api/v1/api-keys", test.body); status != test.want {
			t.Errorf("%s: %d %s", what, status, answer)
		}
	}
	var made struct {
		ID        string
		ExpiresAt *time.Time `json:"expires_at"`
		Addresses []string
	}
	for how, path := range map[string]string{"that says nothing": "/api/v1/api-keys", "that takes the place of one without an end": ""} {
		body := map[string]any{"title": how}
		if path == "" {
			var endless struct{ ID string }
			r.Admin.Must(t, "POST", "/api/v1/api-keys", map[string]any{"title": "endless", "addresses": []string{"127.0.0.1"}}, &endless)
			path, body = "/api/v1/api-keys/"+endless.ID+"/rotate", map[string]any{"overlap_seconds": 60}
		}
		made.ExpiresAt, made.Addresses = nil, nil
		maker.Must(t, "POST", path, body, &made)
		if made.ExpiresAt == nil || made.ExpiresAt.After(end) || len(made.Addresses) == 0 {
			t.Errorf("a key %s ends %v and works from %v", how, made.ExpiresAt, made.Addresses)
		}
	}
}
