package e2e_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// FuzzAPIBody sends a body to each route of the API that takes one, with the key of an
// administrator: it is taken or refused as a problem (RFC 9457) that does not repeat what
// was sent, and never breaks the hub.
func FuzzAPIBody(f *testing.F) {
	r := hubtest.StartHub(f, nil)
	var routes []string
	for _, route := range r.Hub.Routes() {
		if strings.HasPrefix(route.Path, "/api/") && slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, route.Method) {
			routes = append(routes, route.Method+" "+hubtest.PlaceholderRE.ReplaceAllString(route.Path, "none"))
		}
	}
	slices.Sort(routes)
	for _, body := range []string{
		``, `{}`, `null`, `[]`, `"a"`, `{"name":"a","provider":"oauth2","client_id":"c","client_secret":"` + fuzzedSecret + `"}`, `{"name":1,"scopes":{}}`, `{"name":"a","name":"b"}`,
		`{"client_secret":["` + fuzzedSecret + `"]}`, `{"options":{"a":{"b":{"c":null}}}}`, `{"min_ttl":"999999999h","expires_at":"9999-99-99"}`, "{\"name\":\"\\u0000\xff\"}", strings.Repeat(`[`, 10_000),
	} {
		for n := range routes {
			f.Add(uint8(n), []byte(body))
		}
	}
	client := &http.Client{Timeout: time.Minute}
	f.Fuzz(func(t *testing.T, n uint8, body []byte) {
		method, path, _ := strings.Cut(routes[int(n)%len(routes)], " ")
		req, err := http.NewRequestWithContext(t.Context(), method, r.Hub.URL()+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+r.Admin.Key)
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case resp.StatusCode == http.StatusInternalServerError:
			t.Errorf("%s %s of %q answers %d: %s", method, path, body, resp.StatusCode, answer)
		case resp.StatusCode >= http.StatusBadRequest && !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json"):
			t.Errorf("%s %s of %q answers %d as %s", method, path, body, resp.StatusCode, resp.Header.Get("Content-Type"))
		case bytes.Contains(answer, []byte(fuzzedSecret)):
			t.Errorf("%s %s repeats a secret: %s", method, path, answer)
		}
	})
}

// fuzzedSecret must not come back in an answer.
const fuzzedSecret = "fuzzed-secret-5b0f"
