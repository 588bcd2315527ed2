package providerplugin

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestTheFirstDifferenceOfARequestIsNamedWithoutValues(t *testing.T) {
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {"Basic s3cr3t-one"}}
	before := HTTPRequest{Method: "POST", URL: "https://acme.example/token?a=s3cr3t-1&b=2", Header: form, Body: []byte("code=s3cr3t-2&grant_type=x")}
	object := HTTPRequest{Method: "POST", URL: "https://acme.example/token", Body: []byte(`{"nonce":"s3cr3t-3","x":1}`)}
	for name, c := range map[string]struct {
		before HTTPRequest
		change func(*HTTPRequest)
		want   string
	}{
		"nothing":           {before, func(*HTTPRequest) {}, ""},
		"method":            {before, func(r *HTTPRequest) { r.Method, r.URL = "GET", "https://other.example" }, "the method is GET, was POST"},
		"host":              {before, func(r *HTTPRequest) { r.URL = "https://other.example/token?a=s3cr3t-1" }, "the host is https://other.example, was https://acme.example"},
		"path":              {before, func(r *HTTPRequest) { r.URL = "https://acme.example/v2/token" }, "the path is /v2/token, was /token"},
		"a query value":     {before, func(r *HTTPRequest) { r.URL = "https://acme.example/token?a=s3cr3t-10&b=2" }, "the query parameter a has another value (9 bytes, was 8 bytes)"},
		"a query parameter": {before, func(r *HTTPRequest) { r.URL = "https://acme.example/token?a=s3cr3t-1&b=2&c=3" }, "the query parameter c is there, was not"},
		"the query's order": {before, func(r *HTTPRequest) { r.URL = "https://acme.example/token?b=2&a=s3cr3t-1" }, "the query has another order or form"},
		"a header": {before, func(r *HTTPRequest) {
			r.Header = http.Header{"Content-Type": form["Content-Type"], "Authorization": {"Basic s3cr3t-two"}}
		}, "the header Authorization has another value (16 bytes, was 16 bytes)"},
		"a missing header": {before, func(r *HTTPRequest) { r.Header = http.Header{"Content-Type": form["Content-Type"]} }, "the header Authorization is not there, was"},
		"a form field":     {before, func(r *HTTPRequest) { r.Body = []byte("code=s3cr3t-4&grant_type=x") }, "the body field code has another value (8 bytes, was 8 bytes)"},
		"the form's order": {before, func(r *HTTPRequest) { r.Body = []byte("grant_type=x&code=s3cr3t-2") }, "another order or form (26 bytes, was 26)"},
		"a JSON field":     {object, func(r *HTTPRequest) { r.Body = []byte(`{"nonce":"s3cr3t-33","x":1}`) }, "the body field nonce has another value (11 bytes, was 10 bytes)"},
		"another body":     {object, func(r *HTTPRequest) { r.Body = []byte("s3cr3t") }, "the body is another one (6 bytes, was 26)"},
	} {
		now := c.before
		c.change(&now)
		got := now.Difference(&c.before)
		if !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: %q", name, got)
		}
		if strings.Contains(got, "s3cr3t") {
			t.Errorf("%s tells a value: %q", name, got)
		}
	}
}

func TestTheFirstDifferenceOfASignatureIsNamedWithoutValues(t *testing.T) {
	before := SignRequest{Key: "robot", Type: "JWT", Lifetime: time.Minute, Claims: []byte(`{"iss":"s3cr3t-1","sub":"s3cr3t-2"}`)}
	for name, c := range map[string]struct {
		change func(*SignRequest)
		want   string
	}{
		"nothing":         {func(*SignRequest) {}, ""},
		"key":             {func(r *SignRequest) { r.Key, r.Claims = "other", nil }, `the key is "other", was "robot"`},
		"type":            {func(r *SignRequest) { r.Type = "at+jwt" }, `the type is "at+jwt", was "JWT"`},
		"lifetime":        {func(r *SignRequest) { r.Lifetime = time.Hour }, "the lifetime is 1h0m0s, was 1m0s"},
		"a claim":         {func(r *SignRequest) { r.Claims = []byte(`{"iss":"s3cr3t-1","sub":"s3cr3t-33"}`) }, "the claim sub has another value (11 bytes, was 10 bytes)"},
		"a new claim":     {func(r *SignRequest) { r.Claims = []byte(`{"iss":"s3cr3t-1","jti":1,"sub":"s3cr3t-2"}`) }, "the claim jti is there, was not"},
		"a missing claim": {func(r *SignRequest) { r.Claims = []byte(`{"iss":"s3cr3t-1"}`) }, "the claim sub is not there, was"},
		"their order":     {func(r *SignRequest) { r.Claims = []byte(`{"sub":"s3cr3t-2","iss":"s3cr3t-1"}`) }, "the claims have another order or form (35 bytes, was 35)"},
	} {
		now := before
		c.change(&now)
		got := now.Difference(&before)
		if !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: %q", name, got)
		}
		if strings.Contains(got, "s3cr3t") {
			t.Errorf("%s tells a value: %q", name, got)
		}
	}
}
