package e2e_test

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

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// TestNoSecretIsAnywhereInClear does the whole main job, with failures, and then
// looks for every secret of it in the log (at its most talkative), in every file
// of the data folder, in pages, and in all answers but the pulls themselves.
func TestNoSecretIsAnywhereInClear(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, shortLife)
	r := hubtest.StartHub(t, nil)
	seen := &hubtest.LogBuffer{}
	r.Admin.Seen = seen
	secrets := map[string]string{"the administrator's key": r.Admin.Key}
	for _, s := range world.Services {
		connection := r.AddService(t, s)
		secrets["client_secret of "+s.Provider] = s.ClientSecret

		r.Admin.Seen = nil // the answer holds the cookie on purpose
		spoilt := r.Grant(t, connection, emulator.Choices{})
		good := r.Grant(t, connection, emulator.Choices{})
		r.Admin.Seen = seen
		for what, callback := range map[string]*url.URL{"unused": spoilt.URL, "used": good.URL} {
			secrets[what+" code of "+s.Provider] = callback.Query().Get("code")
			secrets[what+" state of "+s.Provider] = callback.Query().Get("state")
		}
		cookie := good.Cookies()[0].Value
		secrets["browser cookie of "+s.Provider] = cookie

		query := spoilt.URL.Query()
		query.Set("code", "wrong"+query.Get("code"))
		spoilt.URL.RawQuery = query.Encode()
		_, page := hubtest.Send(t, spoilt)
		_, _ = seen.Write([]byte(page))
		_, page = hubtest.Send(t, good)
		_, _ = seen.Write([]byte(page))

		r.Admin.Seen = nil // a new key is shown once
		process := r.Key(t, connection)
		r.Admin.Seen = seen
		secrets["API key for "+s.Provider] = process.Key
		first := process.Pull(t, connection)
		secrets["first access token of "+s.Provider] = first.AccessToken
		hubtest.Until(t, first.ExpiresAt.Add(50*time.Millisecond))
		secrets["second access token of "+s.Provider] = process.Pull(t, connection).AccessToken
		var codes struct {
			RefreshToken string `json:"refreshToken"`
		}
		r.Admin.Seen = nil // asked for on purpose
		r.Admin.Must(t, "GET", "/api/v1/connections/"+connection+"/access-codes?refresh_token=true", nil, &codes)
		r.Admin.Seen = seen
		if codes.RefreshToken != "" {
			secrets["refresh token of "+s.Provider] = codes.RefreshToken
		}
	}
	boss := r.Owner(t)
	for _, path := range []string{"/audit", "/audit.csv", "/connections.csv", "/settings", "/keys", "/people", "/plugins"} {
		_, page, _ := boss.Ask("GET", path, nil)
		_, _ = seen.Write([]byte(page))
	}
	_, _ = seen.Write([]byte(r.Scrape(t)))
	for _, path := range []string{"/api/v1/audit?limit=200", "/api/v1/incidents", "/api/v1/services", "/api/v1/connections", "/api/v1/api-keys", "/api/v1/plugins", "/api/v1/nonsense", "/", "/login", "/setup", "/setup?link=x"} {
		_, _ = r.Admin.Do(t, "GET", path, nil)
	}
	if len(secrets) < 30 {
		t.Fatalf("only %d secrets were gathered, so this test proves little", len(secrets))
	}
	places := map[string][]byte{"the log": []byte(r.Log.String()), "an answer or page": []byte(seen.String())}
	places["a dump of all goroutines"] = dump(t)
	addFiles(t, places, r.Dir)
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
