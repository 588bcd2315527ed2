package e2e_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// totp is the code of a secret (RFC 6238), as an authenticator app shows it.
func totp(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	var step [8]byte
	binary.BigEndian.PutUint64(step[:], uint64(at.Unix()/30))
	mac := hmac.New(sha1.New, key)
	mac.Write(step[:])
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1_000_000)
}

var (
	factorSecretRE = regexp.MustCompile(`\b([A-Z2-7]{32})\b`)
	personRE       = regexp.MustCompile(`/people/([0-9a-f-]{36})/`)
)

// withCodes sets up codes for a person and returns the secret.
func withCodes(v *hubtest.Visitor) (secret string) {
	v.T.Helper()
	_, page, _ := v.Ask("GET", "/settings/second-factor", nil)
	found := factorSecretRE.FindStringSubmatch(page)
	if found == nil {
		v.T.Fatalf("the page shows no secret: %s", page)
	}
	if status, page, _ := v.Ask("POST", "/settings/second-factor", url.Values{"code": {totp(v.T.(*testing.T), found[1], time.Now())}}); status != http.StatusSeeOther { //nolint:forcetypeassert // of this test
		v.T.Fatalf("the factor was not taken: %d %s", status, page)
	}
	return found[1]
}

// A password that was shown before it, the factor, the role or the right to log in was
// changed does not lead in after the change, whatever code comes with it.
func TestALoginThatWaitsForItsCodeEndsWithAChange(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	for what, change := range map[string]func(guest *hubtest.Visitor, id string){
		"password": func(guest *hubtest.Visitor, _ string) {
			guest.Ask("POST", "/settings/password", url.Values{"present": {hubtest.Password}, "next": {"another " + hubtest.Password}, "repeat": {"another " + hubtest.Password}})
		},
		"factor": func(guest *hubtest.Visitor, _ string) {
			guest.Ask("GET", "/settings", nil) // the recovery codes were seen
			guest.Ask("POST", "/settings/second-factor/drop", url.Values{"password": {hubtest.Password}})
			withCodes(guest)
		},
		"role": func(_ *hubtest.Visitor, id string) {
			boss.Ask("POST", "/people/"+id+"/role", url.Values{"role": {"viewer"}})
		},
		"disabled": func(_ *hubtest.Visitor, id string) { boss.Ask("POST", "/people/"+id+"/disable", url.Values{}) },
		"nothing":  func(*hubtest.Visitor, string) {},
	} {
		t.Run(what, func(t *testing.T) {
			guest := boss.Invite(r, what, "operator")
			guest.T = t
			secret := withCodes(guest)
			waiting := hubtest.NewVisitor(t, r)
			if _, _, to := waiting.Ask("POST", "/login", url.Values{"login": {what}, "password": {hubtest.Password}}); to != "/login/code" {
				t.Fatalf("a right password leads to %q", to)
			}
			_, page, _ := boss.Ask("GET", "/people", nil)
			row := page[strings.Index(page, ">"+what+"<"):]
			change(guest, personRE.FindStringSubmatch(row)[1])
			// The next step's code: that of this one was spent by the set-up.
			waiting.Ask("POST", "/login/code", url.Values{"code": {totp(t, secret, time.Now().Add(30*time.Second))}})
			status, _, _ := waiting.Ask("GET", "/connections", nil)
			if in := status == http.StatusOK; in != (what == "nothing") {
				t.Errorf("after a change of %s, the login that was begun before is in: %t", what, in)
			}
		})
	}
}
