package catalogue

import (
	"errors"
	"testing"
	"time"
)

var fuzzNow = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// FuzzImportTable reads a table of grants (CSV): a row is good or says what is wrong, in
// both languages, and never makes a row of nothing.
func FuzzImportTable(f *testing.F) {
	for _, seed := range []string{
		"name,service,refresh_token\nа,crm,r\n", "name;service;refresh_token\na;crm;\"r\"\n", "\ufeffname,service\n\"a\nb\",crm\n", "name\n\"", "name,name\na,b\n", "x\n", "", "name,service,expires_at\na,crm,2026-01-01\n",
		"name,service,access_token,expires_at\na,crm,t,99999999999999999999\n", "name,service,tags\na,crm,\"x, y\"\n", "name\r\na\r\n", "name,service\n=cmd|' /C calc'!A0,crm\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, table string) {
		rows, err := ParseImport(table, fuzzNow)
		if err != nil {
			if _, ok := errors.AsType[*InvalidError](err); !ok {
				t.Errorf("%q fails with %v", table, err)
			}
			return
		}
		for _, row := range rows {
			if (row.Problem.EN == "") != (row.Problem.RU == "") {
				t.Errorf("%q: the problem %+v is told in one language", table, row.Problem)
			}
		}
	})
}

// FuzzImportGrant reads one grant as JSON, as other programs keep it: what is taken has a
// token, and times that a database can hold.
func FuzzImportGrant(f *testing.F) {
	for _, seed := range []string{
		`{"access_token":"a","refresh_token":"r","expires_in":3600}`, `{"refresh_token":"r","expiry":"2026-12-01T00:00:00Z"}`, `{"access_token":"a","expires_at":1e300}`, `{"access_token":"a","expires_at":-9223372036854775808}`,
		`{"access_token":"a","expires_in":"9223372036854775807"}`, `[]`, `null`, `"a"`, `{"token":{"access_token":"a"}}`, `{"access_token":"a","scope":["x","y"]}`, `{"access_token":"a\u0000b"}`, "plain-refresh-token",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := ParseGrant(text, fuzzNow)
		if err != nil {
			return
		}
		if token.AccessToken == "" && token.RefreshToken == "" {
			t.Errorf("%q is a grant without a token", text)
		}
		if token.ExpiresIn != nil && (*token.ExpiresIn > 250*365*24*time.Hour || *token.ExpiresIn < -250*365*24*time.Hour) {
			t.Errorf("%q lives for %s", text, *token.ExpiresIn)
		}
	})
}
