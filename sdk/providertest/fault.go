package providertest

import (
	"net/http"
	"strings"

	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// fault is what a token request meets instead of a good reply.
type fault struct {
	name   string
	strike func(*providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error)
}

func answering(name string, status int, body string) fault {
	return fault{name, func(*providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
		return reply(status, body), nil
	}}
}

func failing(name string, failure *providerplugin.RelayError) fault {
	return fault{name, func(*providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
		return nil, failure
	}}
}

const page = "<!doctype html><html><body>Please log in</body></html>"

// outages pass by themselves; some lie about the grant.
var outages = []fault{
	answering("500 without a body", 500, ""),
	answering("500 with invalid_grant", 500, `{"error":"invalid_grant","error_description":"token expired"}`),
	answering("502 with a page", 502, page),
	answering("503 with invalid_grant", 503, `{"error":"invalid_grant"}`),
	answering("504 with access_denied", 504, `{"error":"access_denied"}`),
	rateLimit,
	failing("time-out after the request was written", &providerplugin.RelayError{Written: true, Message: "the service did not answer in time"}),
	failing("no connection", &providerplugin.RelayError{Message: "the service could not be reached"}),
	failing("refused by the hub", &providerplugin.RelayError{Refused: true, Message: "the hub does not send that"}),
	failing("cut reply", &providerplugin.RelayError{Written: true, Message: "the reply was cut off"}),
}

var rateLimit = fault{"429 with Retry-After", func(*providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
	r := reply(429, `{"error":"invalid_grant"}`)
	r.Header.Set("Retry-After", "120")
	return r, nil
}}

// malformed replies look like a success and are none.
var malformed = []fault{
	answering("empty body", 200, ""),
	answering("a page", 200, page),
	answering("cut JSON", 200, `{"access_token":"`+newAccess+`","refresh_tok`),
	answering("an empty object", 200, `{}`),
	answering("a list", 200, `[]`),
	answering("null", 200, `null`),
	answering("empty access_token", 200, `{"access_token":"","expires_in":3600,"refresh_token":"`+newRefresh+`"}`),
	answering("null access_token", 200, `{"access_token":null,"expires_in":3600}`),
	answering("an error with status 200", 200, `{"error":"server_error","error_description":"try later"}`),
	answering("a redirect", 302, ""),
}

// rejections are errors of RFC 6749 section 5.2.
var (
	wrongClient = answering("invalid_client", 401, `{"error":"invalid_client"}`)
	deadGrant   = answering("invalid_grant", 400, `{"error":"invalid_grant","error_description":"expired or revoked"}`)
)

// redirectTo sends the token request elsewhere.
func redirectTo(status int, address string) fault {
	return fault{"a redirect", func(*providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
		r := reply(status, "")
		r.Header.Set("Location", address)
		return r, nil
	}}
}

// echo answers with everything that it was sent, and with the tokens of a good
// reply.
func echo(status int) fault {
	return fault{"a reply that echoes the request", func(req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
		said := []string{req.URL, string(req.Body)}
		for _, values := range req.Header {
			for _, v := range values {
				said = append(said, v, decoded(v))
			}
		}
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(strings.Join(said, " "))
		r := reply(status, `{"error":"broken","error_description":"you sent `+quoted+`","message":"`+quoted+
			`","access_token":"`+newAccess+`","refresh_token":"`+newRefresh+`"}`)
		r.Header = http.Header{"Content-Type": {"application/json"}, "Www-Authenticate": {`Bearer error_description="` + newAccess + `"`}}
		return r, nil
	}}
}
