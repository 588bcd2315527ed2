package operation

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// reply is the outcome of one step as it is kept.
type reply struct {
	// Request identifies the request, without its query and body: a repeated run must
	// make the same one.
	Request string `json:"request"`
	// Status is zero if there was no reply.
	Status int         `json:"status,omitempty"`
	Header http.Header `json:"header,omitempty"`
	Body   []byte      `json:"body,omitempty"`
	// Failure is why there was no reply, and Written whether bytes went out.
	Failure string `json:"failure,omitempty"`
	Written bool   `json:"written,omitempty"`
	// Signed is the JWT of a step that asked for a signature, and Claims hashes of its claims.
	Signed string            `json:"signed,omitempty"`
	Claims map[string]string `json:"claims,omitempty"`
	// DPoPKey is the key that proved possession, and KeyID its version.
	DPoPKey string `json:"dpop_key,omitempty"`
	KeyID   string `json:"key_id,omitempty"`
}

func newSignature(req *providerplugin.SignRequest, jwt string) reply {
	return reply{Request: signLine(req), Signed: jwt, Claims: hashedClaims(req)}
}

// signature hands a kept signature to a run of the operation.
func (r reply) signature(req *providerplugin.SignRequest) (string, error) {
	if line := signLine(req); line != r.Request {
		return "", &providerplugin.PluginError{
			Message: fmt.Sprintf("the plugin asked for %s, but had asked for %s when the operation ran before: %s", line, r.Request, r.claimsDifference(req)),
		}
	}
	return r.Signed, nil
}

// signLine identifies what is to be signed, by a hash of the claims.
func signLine(req *providerplugin.SignRequest) string {
	return "a signature by " + req.Key + " over " + shortHash(req.Claims)
}

// hashedClaims are hashes of the claims by name; nil if they are no JSON object.
func hashedClaims(req *providerplugin.SignRequest) map[string]string {
	var claims map[string]json.RawMessage
	if json.Unmarshal(req.Claims, &claims) != nil {
		return nil
	}
	hashed := make(map[string]string, len(claims))
	for name, value := range claims {
		hashed[name] = shortHash(value)
	}
	return hashed
}

// claimsDifference names the first claim that is not as it was signed before.
func (r reply) claimsDifference(req *providerplugin.SignRequest) string {
	now := hashedClaims(req)
	names := slices.AppendSeq(slices.Collect(maps.Keys(now)), maps.Keys(r.Claims))
	slices.Sort(names)
	for _, name := range names {
		if now[name] != r.Claims[name] {
			return fmt.Sprintf("the claim %q is another", name)
		}
	}
	return "the claims have another order or form"
}

func shortHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

func newReply(req *providerplugin.HTTPRequest, resp *providerplugin.HTTPResponse, failure *providerplugin.RelayError) reply {
	r := reply{Request: requestLine(req)}
	if failure != nil {
		r.Failure, r.Written = failure.Message, failure.Written
		return r
	}
	r.Status, r.Header, r.Body = resp.Status, resp.Header, resp.Body
	return r
}

// answer hands a kept reply to a run of the operation.
func (r reply) answer(req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
	if line := requestLine(req); line != r.Request {
		return nil, &providerplugin.PluginError{
			Message: fmt.Sprintf("the plugin asked for %s, but had asked for %s when the operation ran before: %s", line, r.Request, r.difference(req)),
		}
	}
	if r.Status == 0 {
		return nil, &providerplugin.RelayError{Written: r.Written, Message: r.Failure}
	}
	return &providerplugin.HTTPResponse{Status: r.Status, Header: r.Header, Body: r.Body}, nil
}

// difference names the first part in which a request differs from the one that was made.
func (r reply) difference(req *providerplugin.HTTPRequest) string {
	method, address, _ := strings.Cut(r.Request, " ")
	return (&providerplugin.HTTPRequest{Method: req.Method, URL: withoutQuery(req.URL)}).Difference(&providerplugin.HTTPRequest{Method: method, URL: address})
}

func withoutQuery(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return address
}

func requestLine(req *providerplugin.HTTPRequest) string {
	u, err := url.Parse(req.URL)
	if err != nil {
		return req.Method + " ?"
	}
	return req.Method + " " + u.Scheme + "://" + u.Host + u.Path
}

func decodeReply(data []byte) (reply, error) {
	var r reply
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("a kept reply cannot be read: %w", err)
	}
	return r, nil
}

// lostOnTheWay reports whether a gateway in front of the service answered in its place,
// because the service's own reply did not arrive or could not be read (RFC 9110 sections
// 15.6.3 and 15.6.5; 520 to 524 are those of content delivery networks). The service may
// have processed the request.
func (r reply) lostOnTheWay() bool {
	switch r.Status {
	case http.StatusBadGateway, http.StatusGatewayTimeout, 520, 521, 522, 523, 524:
		return true
	}
	return false
}

// succeeded reports whether the status is one of success.
func (r reply) succeeded() bool { return r.Status >= 200 && r.Status < 300 }
