package foreign

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

var loginID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// zitadelPerson logs in and returns the address of the callback, without going there.
func zitadelPerson(ctx context.Context, address, callback string) (*url.URL, error) {
	b := newBrowser(callback)
	page, at, err := b.open(ctx, address, nil)
	if err != nil {
		return nil, err
	}
	id := loginID.FindStringSubmatch(page)
	if id == nil {
		return nil, fmt.Errorf("no login is shown at %s:\n%s", at, page)
	}
	form := url.Values{"id": {id[1]}, "username": {"test-user@localhost"}, "password": {"verysecure"}}
	page, at, err = b.open(ctx, at.ResolveReference(&url.URL{Path: "/login/username"}).String(), form)
	if err == nil && b.landed == nil {
		err = fmt.Errorf("the login leads to %s:\n%s", at, page)
	}
	return b.landed, err
}

// Zitadel's provider rotates refresh tokens and ends the old access token with them. A spent
// one says that the grant is over, which a person has to mend; its successor lives on.
func TestAGrantAtZitadelIsKeptAndItsEndIsUnderstood(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	callback := r.Hub.URL() + "/callback/zitadel"
	issuer := program(t, "zitadel", "zitadel", secret, callback)
	c := client(r, "zitadel", "client_secret_basic")
	add(t, r, boss, issuer, c, map[string]any{"rotation": "rotates_and_revokes_access"})
	finish(t, r, "zitadel", "id1", func(address string) (*url.URL, error) { return zitadelPerson(t.Context(), address, callback) })
	spent := refreshToken(t, r, "zitadel")
	live(t, r, "zitadel")
	boss.Ask("POST", "/connections/import", url.Values{"service": {"zitadel"}, "title": {"Copy"}, "grant": {spent}})
	wantPerson(t, r, "copy")
	live(t, r, "zitadel")
}

// Zitadel's provider fetches the keys that the hub publishes, and takes the issuer alone as
// the audience of an assertion. Renewals go on while a key is being replaced, when the old one
// still signs, and with the one that took its place.
func TestZitadelAcceptsTheHubsKeyAlsoAfterItIsReplaced(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	callback := r.Hub.URL() + "/callback/keyed"
	issuer := program(t, "zitadel", "keyed", "", callback, r.Hub.URL()+"/jwks/keyed")
	c := client(r, "keyed", "private_key_jwt")
	add(t, r, boss, issuer, c, map[string]any{"rotation": "rotates_and_revokes_access", "assertion_audience": issuer})
	finish(t, r, "keyed", "id1", func(address string) (*url.URL, error) { return zitadelPerson(t.Context(), address, callback) })
	live(t, r, "keyed")
	key := func(act string, form url.Values) {
		t.Helper()
		if status, page, _ := boss.Ask("POST", "/services/keyed/keys/client-key/"+act, form); status != http.StatusSeeOther {
			t.Fatalf("%s answers %d:\n%s", act, status, page)
		}
	}
	old := published(t, r)
	key("make", nil)
	if both := published(t, r); len(old) != 1 || len(both) != 2 {
		t.Fatalf("published are %v, and %v when the key is being replaced", old, both)
	}
	live(t, r, "keyed")
	key("import", url.Values{"private_key": {newKey(t)}}) // in force at once
	for _, kid := range published(t, r)[1:] {
		key("remove", url.Values{"kid": {kid}})
	}
	if left := published(t, r); len(left) != 1 || left[0] == old[0] {
		t.Fatalf("published are %v after %v was replaced", left, old)
	}
	live(t, r, "keyed")
}

// published are the keys of the service that anybody can read, the newest first.
func published(t *testing.T, r *hubtest.Running) (kids []string) {
	t.Helper()
	var set struct{ Keys []struct{ Kid string } }
	r.Admin.Must(t, "GET", "/jwks/keyed", nil, &set)
	for _, key := range set.Keys {
		kids = append(kids, key.Kid)
	}
	return kids
}

// newKey is a private key in PEM.
func newKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
