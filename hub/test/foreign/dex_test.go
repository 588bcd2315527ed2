package foreign

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// dexAccount is the sub of the person whom Dex's mock connector logs in: the ID at the
// connector, and the connector, as Dex encodes them.
const dexAccount = "Cg0wLTM4NS0yODA4OS0wEgRtb2Nr"

var dexRequest = regexp.MustCompile(`name="req" value="([^"]+)"`)

// dexPerson is logged in by the mock connector, and consents.
func dexPerson(ctx context.Context, address, callback string) (*url.URL, error) {
	b := newBrowser(callback)
	page, at, err := b.open(ctx, address, nil)
	if err != nil {
		return nil, err
	}
	asked := dexRequest.FindStringSubmatch(page)
	if asked == nil {
		return nil, fmt.Errorf("no consent is asked at %s:\n%s", at, page)
	}
	page, at, err = b.open(ctx, at.String(), url.Values{"req": {asked[1]}, "approval": {"approve"}})
	if err == nil && b.landed == nil {
		err = fmt.Errorf("the consent leads to %s:\n%s", at, page)
	}
	return b.landed, err
}

// Dex answers "invalid_request" for a refresh token that was spent or has expired, where RFC
// 6749 has "invalid_grant", and says in words what is the matter. Either needs a person, and
// is not tried again; the successor of a spent one lives on.
func TestTheWordsOfDexForADeadRefreshTokenAreUnderstood(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	granted := func(t *testing.T, name, unused string) {
		t.Helper()
		c := client(r, name, "client_secret_basic")
		callback := r.Hub.URL() + "/callback/" + name
		add(t, r, boss, program(t, "dex", name, secret, callback, unused), c, nil)
		finish(t, r, name, dexAccount, func(address string) (*url.URL, error) { return dexPerson(t.Context(), address, callback) })
	}
	t.Run("spent", func(t *testing.T) {
		granted(t, "dex", "0s")
		spent := refreshToken(t, r, "dex")
		live(t, r, "dex")
		boss.Ask("POST", "/connections/import", url.Values{"service": {"dex"}, "title": {"Copy"}, "grant": {spent}})
		wantPersonAfter(t, r, "copy", "invalid_request")
		live(t, r, "dex")
	})
	t.Run("expired", func(t *testing.T) {
		granted(t, "short", "1s")
		hubtest.Until(t, time.Now().Add(1500*time.Millisecond))
		_, _ = r.Admin.Do(t, "POST", "/api/v1/connections/short/renew", nil)
		wantPersonAfter(t, r, "short", "invalid_request")
	})
}
