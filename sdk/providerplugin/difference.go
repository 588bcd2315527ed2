package providerplugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/url"
	"slices"
)

// Difference names the first thing in which a request differs from the one that was made
// before at the same step of the same operation; "" if it is the same. It looks at method,
// host, path, query, headers and body in this order. Names are told and how long values
// are, never what they are: any of them may be secret.
func (r *HTTPRequest) Difference(before *HTTPRequest) string {
	if r.Method != before.Method {
		return fmt.Sprintf("the method is %s, was %s", clean(r.Method, 20), clean(before.Method, 20))
	}
	if r.URL != before.URL {
		if d := addressDifference(r.URL, before.URL); d != "" {
			return d
		}
	}
	if d := fieldsDifference("header", r.Header, before.Header); d != "" {
		return d
	}
	if r.ClientCertificate != before.ClientCertificate || r.DPoPKey != before.DPoPKey {
		return fmt.Sprintf("the key is %q, was %q", clean(r.ClientCertificate+r.DPoPKey, 100), clean(before.ClientCertificate+before.DPoPKey, 100))
	}
	return bodyDifference(r, before)
}

// Difference names the first thing in which a JWT to be signed differs from the one that was
// signed before at the same step of the same operation; "" if it is the same. It looks at
// key, type, lifetime and claims in this order, and tells of claims as of a request's fields.
func (r *SignRequest) Difference(before *SignRequest) string {
	switch {
	case r.Key != before.Key:
		return fmt.Sprintf("the key is %q, was %q", clean(r.Key, 100), clean(before.Key, 100))
	case r.Type != before.Type:
		return fmt.Sprintf("the type is %q, was %q", clean(r.Type, 100), clean(before.Type, 100))
	case r.Lifetime != before.Lifetime:
		return fmt.Sprintf("the lifetime is %s, was %s", r.Lifetime, before.Lifetime)
	case bytes.Equal(r.Claims, before.Claims):
		return ""
	}
	now, ok := objectFields(r.Claims)
	was, okBefore := objectFields(before.Claims)
	if ok && okBefore {
		if d := fieldsDifference("claim", now, was); d != "" {
			return d
		}
	}
	return fmt.Sprintf("the claims have another order or form (%d bytes, was %d)", len(r.Claims), len(before.Claims))
}

func addressDifference(address, before string) string {
	now, err := url.Parse(address)
	was, err2 := url.Parse(before)
	if err != nil || err2 != nil {
		return "the address cannot be read"
	}
	switch {
	case now.Scheme != was.Scheme || now.Host != was.Host:
		return fmt.Sprintf("the host is %s://%s, was %s://%s", now.Scheme, clean(now.Host, 253), was.Scheme, clean(was.Host, 253))
	case now.EscapedPath() != was.EscapedPath():
		return fmt.Sprintf("the path is %s, was %s", clean(now.EscapedPath(), 200), clean(was.EscapedPath(), 200))
	}
	if d := fieldsDifference("query parameter", now.Query(), was.Query()); d != "" {
		return d
	}
	return "the query has another order or form" // the same names and values
}

// fieldsDifference compares fields by name.
func fieldsDifference(what string, now, before map[string][]string) string {
	names := slices.Collect(maps.Keys(now))
	for name := range before {
		if _, there := now[name]; !there {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		values, there := now[name]
		was, thereBefore := before[name]
		switch {
		case !thereBefore:
			return fmt.Sprintf("the %s %s is there, was not", what, clean(name, 100))
		case !there:
			return fmt.Sprintf("the %s %s is not there, was", what, clean(name, 100))
		case !slices.Equal(values, was):
			return fmt.Sprintf("the %s %s has another value (%s, was %s)", what, clean(name, 100), lengthOf(values), lengthOf(was))
		}
	}
	return ""
}

func lengthOf(values []string) string {
	n := 0
	for _, v := range values {
		n += len(v)
	}
	if len(values) == 1 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%d values of %d bytes", len(values), n)
}

func bodyDifference(r, before *HTTPRequest) string {
	if bytes.Equal(r.Body, before.Body) {
		return ""
	}
	now, ok := bodyFields(r)
	was, okBefore := bodyFields(before)
	if ok && okBefore {
		if d := fieldsDifference("body field", now, was); d != "" {
			return d
		}
		return fmt.Sprintf("the body has its fields in another order or form (%d bytes, was %d)", len(r.Body), len(before.Body))
	}
	return fmt.Sprintf("the body is another one (%d bytes, was %d)", len(r.Body), len(before.Body))
}

// bodyFields are the fields of a form or of a JSON object.
func bodyFields(r *HTTPRequest) (fields map[string][]string, ok bool) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if fields, ok = objectFields(r.Body); ok {
		return fields, true
	}
	if kind != "application/x-www-form-urlencoded" && (kind != "" || !bytes.ContainsRune(r.Body, '=')) {
		return nil, false
	}
	form, err := url.ParseQuery(string(r.Body))
	return form, err == nil
}

// objectFields are the members of a JSON object.
func objectFields(data []byte) (fields map[string][]string, ok bool) {
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) != nil || object == nil {
		return nil, false
	}
	fields = make(map[string][]string, len(object))
	for name, value := range object {
		fields[name] = []string{string(value)}
	}
	return fields, true
}
