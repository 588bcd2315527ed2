package providertest

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzFixture reads a recorded reply, as authors of plugins write them: it is refused or
// says what to expect, and each of its responses is read or refused.
func FuzzFixture(f *testing.F) {
	files, err := filepath.Glob("testdata/replies/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil {
			f.Add(data)
		}
	}
	for _, seed := range []string{
		"expect: Transient\n\nHTTP/1.1 500 x\r\n\r\n", "expect: token\n\nHTTP/1.1 200 OK\nContent-Length: 99\n\n{}", "\n\n", "expect:\n\nx", "expect: a\n\n\n----\n\n----\n", "expect: a\nparam.: b\n\nHTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nffffffffffffffff\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRecorded(data)
		if err != nil {
			return
		}
		if r.fields["expect"] == "" || len(r.responses) == 0 {
			t.Errorf("%q expects nothing", data)
		}
		for _, raw := range r.responses {
			if response, err := parseResponse(raw); err == nil && (response.Status < 0 || response.Header == nil) {
				t.Errorf("%q is the response %+v", raw, response)
			}
		}
	})
}
