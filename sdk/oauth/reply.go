package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxReply bounds a reply, in bytes.
const maxReply = 512 << 10

// Reply is what a service answered. It holds secrets: never log it.
type Reply struct {
	Status int
	Header http.Header
	// Fields are the reply's JSON object, or its form. Numbers are json.Number,
	// so that large ones stay exact. Nil if the body is neither.
	Fields map[string]any
	Body   []byte

	now          time.Time
	clientSecret string
	secrets      []string // all that no error may show
	malformed    string   // why Fields is nil
	failures     []Failure
}

func newReply(status int, header http.Header, body []byte, now time.Time, secrets []string) *Reply {
	r := &Reply{Status: status, Header: header, Body: body, now: now, secrets: secrets}
	r.Fields, r.malformed = readFields(header.Get("Content-Type"), inUTF8(header.Get("Content-Type"), body))
	r.secrets = append(slices.Clip(r.secrets), secretsIn(r.Fields)...)
	return r
}

// secretsIn collects the reply's own secrets, also from objects inside it.
func secretsIn(fields map[string]any) []string {
	var secrets []string
	for name, value := range fields {
		switch v := value.(type) {
		case string:
			if secretField(name) {
				secrets = append(secrets, v)
			}
		case map[string]any:
			secrets = append(secrets, secretsIn(v)...)
		}
	}
	return secrets
}

// secretField recognizes secrets by the names of their fields.
func secretField(name string) bool {
	name = strings.ToLower(name)
	return (strings.Contains(name, "token") && name != "token_type") || strings.Contains(name, "secret")
}

// htmlPage is what a body is called that is a page for people.
const htmlPage = "an HTML page"

// readFields reads a body as a JSON object or as a form, whatever its content type is:
// services label JSON as text/html and forms as text/plain.
func readFields(contentType string, body []byte) (fields map[string]any, malformed string) {
	text := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	switch {
	case len(body) > maxReply:
		return nil, "a reply that is too large"
	case len(text) == 0:
		return nil, "an empty reply"
	case text[0] == '<':
		return nil, htmlPage
	case text[0] == '{':
		return readObject(text)
	}
	media, _, _ := mime.ParseMediaType(contentType)
	if media == "" || media == "application/octet-stream" || media == "application/x-www-form-urlencoded" || media == "text/plain" || media == "text/html" {
		if fields, ok := readForm(string(text)); ok {
			return fields, ""
		}
	}
	return nil, "a reply that is neither a JSON object nor a form"
}

func readObject(text []byte) (map[string]any, string) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var fields map[string]any
	if err := dec.Decode(&fields); err != nil {
		return nil, "JSON that is cut off or broken"
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, "JSON with something behind it"
	}
	return fields, ""
}

func readForm(text string) (map[string]any, bool) {
	values, err := url.ParseQuery(text)
	if err != nil || (!values.Has("access_token") && !values.Has("error")) {
		return nil, false
	}
	fields := make(map[string]any, len(values))
	for name := range values {
		fields[name] = values.Get(name)
	}
	return fields, true
}

// Text returns a field that is a string or a number, as text, or "".
func (r *Reply) Text(field string) string { return text(r.Fields[field]) }

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}
