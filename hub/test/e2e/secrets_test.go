package hub_test

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// TestNoSecretIsAnywhereInClear does the whole main job, with failures, and then
// looks for every secret of it in the log (at its most talkative), in every file
// of the data folder, in pages, and in all answers but the pulls themselves.
func TestNoSecretIsAnywhereInClear(t *testing.T) {
	t.Parallel()
	world := startWorld(t, shortLife)
	r := startHub(t, nil)
	seen := &logBuffer{}
	r.admin.seen = seen
	secrets := map[string]string{"the administrator's key": r.admin.key}
	for _, s := range world.Services {
		connection := r.addService(t, s)
		secrets["client_secret of "+s.Provider] = s.ClientSecret

		r.admin.seen = nil // the answer holds the cookie on purpose
		spoilt := r.grant(t, connection, emulator.Choices{})
		good := r.grant(t, connection, emulator.Choices{})
		r.admin.seen = seen
		for what, callback := range map[string]*url.URL{"unused": spoilt.URL, "used": good.URL} {
			secrets[what+" code of "+s.Provider] = callback.Query().Get("code")
			secrets[what+" state of "+s.Provider] = callback.Query().Get("state")
		}
		cookie := good.Cookies()[0].Value
		secrets["browser cookie of "+s.Provider] = cookie

		query := spoilt.URL.Query()
		query.Set("code", "wrong"+query.Get("code"))
		spoilt.URL.RawQuery = query.Encode()
		_, page := send(t, spoilt)
		_, _ = seen.Write([]byte(page))
		_, page = send(t, good)
		_, _ = seen.Write([]byte(page))

		r.admin.seen = nil // a new key is shown once
		process := r.key(t, connection)
		r.admin.seen = seen
		secrets["API key for "+s.Provider] = process.key
		first := process.pull(t, connection)
		secrets["first access token of "+s.Provider] = first.AccessToken
		until(t, first.ExpiresAt.Add(50*time.Millisecond))
		secrets["second access token of "+s.Provider] = process.pull(t, connection).AccessToken
		var codes struct {
			RefreshToken string `json:"refreshToken"`
		}
		r.admin.seen = nil // asked for on purpose
		r.admin.must(t, "GET", "/api/v1/connections/"+connection+"/access-codes?refresh_token=true", nil, &codes)
		r.admin.seen = seen
		if codes.RefreshToken != "" {
			secrets["refresh token of "+s.Provider] = codes.RefreshToken
		}
	}
	boss := r.owner(t)
	for _, path := range []string{"/audit", "/audit.csv", "/connections.csv", "/settings", "/keys", "/people", "/plugins"} {
		_, page, _ := boss.ask("GET", path, nil)
		_, _ = seen.Write([]byte(page))
	}
	_, _ = seen.Write([]byte(r.scrape(t)))
	for _, path := range []string{"/api/v1/audit?limit=200", "/api/v1/incidents", "/api/v1/services", "/api/v1/connections", "/api/v1/api-keys", "/api/v1/plugins", "/api/v1/nonsense", "/", "/login", "/setup", "/setup?link=x"} {
		_, _ = r.admin.do(t, "GET", path, nil)
	}
	if len(secrets) < 30 {
		t.Fatalf("only %d secrets were gathered, so this test proves little", len(secrets))
	}
	places := map[string][]byte{"the log": []byte(r.log.String()), "an answer or page": []byte(seen.String())}
	places["a dump of all goroutines"] = dump(t)
	addFiles(t, places, r.dir)
	for what, secret := range secrets {
		if len(secret) < 8 {
			t.Errorf("%s is %d characters long", what, len(secret))
			continue
		}
		for _, form := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
			for place, content := range places {
				if bytes.Contains(content, []byte(form)) {
					t.Errorf("%s is in %s", what, place)
				}
			}
		}
	}
}

// dump is what the runtime writes of every goroutine when a process is killed by SIGQUIT
// or by a panic that nobody recovers.
func dump(t *testing.T) []byte {
	t.Helper()
	stacks := make([]byte, 8<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	if !bytes.Contains(stacks, []byte("goroutine")) {
		t.Fatal("there is no dump")
	}
	return stacks
}

func addFiles(t *testing.T, places map[string][]byte, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		places["the file "+strings.TrimPrefix(path, dir)] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(places) < 5 {
		t.Fatalf("found only %d places to look at", len(places))
	}
}
