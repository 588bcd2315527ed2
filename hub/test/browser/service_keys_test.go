package browser_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// An administrator makes a key, replaces it, imports one and removes a version, in pages that
// say what each of them costs. The private part is on none of them.
func TestKeysOfAServiceAreKeptInPages(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1440, 900)
	r.Admin.Must(t, "POST", "/api/v1/services", map[string]any{
		"name": "bank", "title": "Bank", "provider": "oauth2", "client_id": "robot", "client_secret": "a-secret-of-the-bank",
		"options": map[string]any{
			"token_endpoint": "https://bank.example/token", "authorization_endpoint": "https://bank.example/authorize",
			"client_auth": "private_key_jwt", "dpop": true,
		},
	}, nil)
	b.SetUp(r)
	b.Open(r.Hub.URL() + "/services/bank")
	b.Click(`a[href="/services/bank/keys"]`)
	b.See("There is no key yet")
	b.Click(`form[action$="/keys/client-key/make"] button`)
	b.See("There is a new version of the key client-key")
	b.Click(`form[action$="/keys/client-key/make"] button`)
	b.See("Published, not used yet")
	b.Click(`details:has(form[action$="/keys/client-key/import"]) > summary`)
	b.Fill("private_key", "-----BEGIN PRIVATE KEY-----\nnot-a-key\n-----END PRIVATE KEY-----")
	b.Click(`form[action$="/keys/client-key/import"] button`)
	b.See("could not be read")
	b.Open(r.Hub.URL() + "/services/bank/keys")
	if text := hubtest.Script[string](b, `document.documentElement.outerHTML`); strings.Contains(text, "PRIVATE") || strings.Contains(text, "not-a-key") {
		t.Error("the page repeats what was pasted")
	}
	if n := hubtest.Script[int](b, `document.querySelectorAll('form[action$="/remove"]').length`); n != 3 {
		t.Errorf("there are %d versions, want two of the client's key and one for DPoP", n)
	}
	keysInPictures(b, r)
	hubtest.Script[bool](b, `(document.querySelector('form[action$="/keys/client-key/remove"]').closest('details').open = true)`)
	b.Click(`form[action$="/keys/client-key/remove"] button`)
	b.See("was removed")
}

// keysInPictures opens the page in both languages, widths and themes.
func keysInPictures(b *hubtest.Browser, r *hubtest.Running) {
	b.T.Helper()
	for _, theme := range []string{"light", "dark"} {
		b.Do("choose the theme", media(theme))
		for _, lang := range []string{"ru", "en"} {
			for _, width := range []int64{360, 1440} {
				speakOf(b, r.Hub.URL()+"/services/bank/keys", lang, width)
				inBounds(b, fmt.Sprintf("keys in %s at %d", lang, width))
				if os.Getenv(picturesIn) != "" {
					b.Open(r.Hub.URL() + "/services/bank/keys")
					snap(b, fmt.Sprintf("keys-%s-%d-%s", lang, width, theme))
				}
			}
		}
	}
}
