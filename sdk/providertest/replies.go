package providertest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// recorded is a reply of the service itself and what it means, as the package's
// documentation has it.
type recorded struct {
	fields    map[string]string
	responses []string
}

// recordedFields are the header's. Those that end in a dot take a name.
var recordedFields = []string{
	"operation", "expect", "expect-code", "expect-option", "expect-retry-after", "expect-expires-in",
	"expect-refresh-expires-in", "expect-refresh-token", "expect-scopes", "expect-extra", "expect-account",
	"option.", "param.", "extra.",
}

func parseRecorded(data []byte) (*recorded, error) {
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	header, raw, ok := strings.Cut(text, "\n\n")
	if !ok {
		return nil, errors.New("an empty line must part the header from the response")
	}
	r := &recorded{fields: map[string]string{}, responses: strings.Split(raw, "\n----\n")}
	for line := range strings.Lines(header) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !slices.ContainsFunc(recordedFields, func(f string) bool {
			return name == f || (strings.HasSuffix(f, ".") && strings.HasPrefix(name, f))
		}) {
			return nil, fmt.Errorf("the header line %q is not one of %v", line, recordedFields)
		}
		r.fields[name] = strings.TrimSpace(value)
	}
	if r.fields["expect"] == "" {
		return nil, errors.New("the header must say what to expect")
	}
	return r, nil
}

// named are the header's fields with a prefix, by the rest of their names.
func (r *recorded) named(prefix string) map[string]string {
	found := map[string]string{}
	for name, value := range r.fields {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			found[rest] = value
		}
	}
	return found
}

// checkReply feeds one file to the operation and checks what comes out.
func (s *suite) checkReply(ctx context.Context, name string) error {
	data, err := fs.ReadFile(s.config.Replies, name)
	if err != nil {
		return err
	}
	r, err := parseRecorded(data)
	if err != nil {
		return err
	}
	own, err := s.with(r)
	if err != nil {
		return err
	}
	operations := own.operations()
	i := slices.IndexFunc(operations, func(op operation) bool { return op.name == r.operation() })
	if i < 0 {
		return fmt.Errorf("the provider does not serve %s", r.operation())
	}
	relay := &script{}
	relay.answer = func(context.Context, int, *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
		// Responses are counted by requests: signatures are steps too, and not recorded.
		n := len(relay.seen()) - 1
		if n >= len(r.responses) {
			return nil, &providerplugin.RelayError{Refused: true, Message: "no response was recorded for this request"}
		}
		return parseResponse(r.responses[n])
	}
	result, err := operations[i].run(ctx, relay)
	if leak := own.leak(err); leak != "" {
		return fmt.Errorf("the error holds %s…", leak)
	}
	return errors.Join(r.judge(result, err)...)
}

func (r *recorded) operation() string {
	if name := r.fields["operation"]; name != "" {
		return name
	}
	return "exchange"
}

// with is the suite with the fixtures that the file sets.
func (s *suite) with(r *recorded) (*suite, error) {
	own := *s
	own.config = s.config.clone()
	entered := maps.Clone(s.service.Options)
	if entered == nil {
		entered = map[string]any{}
	}
	for name, value := range r.named("option.") {
		entered[name] = value
	}
	var err error
	if own.service.Options, err = validOptions(s.description.Options, entered); err != nil {
		return nil, err
	}
	for name, value := range r.named("param.") {
		if own.config.Callback == nil {
			own.config.Callback = map[string][]string{}
		}
		own.config.Callback.Set(name, value)
	}
	extra := map[string]any{}
	maps.Copy(extra, s.current.Extra)
	for name, value := range r.named("extra.") {
		extra[name] = value
	}
	own.current.Extra = extra
	return &own, nil
}

func parseResponse(raw string) (*providerplugin.HTTPResponse, error) {
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), nil)
	if err != nil {
		return nil, fmt.Errorf("the recorded response cannot be read: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, &providerplugin.RelayError{Written: true, Message: "the reply was cut off"}
	}
	if err != nil {
		return nil, err
	}
	return &providerplugin.HTTPResponse{Status: response.StatusCode, Header: response.Header, Body: bytes.TrimSpace(body)}, nil
}

// judge compares what came out with what the header expects.
func (r *recorded) judge(result any, err error) []error {
	var problems []error
	expect := func(field, got string) {
		if want, ok := r.fields[field]; ok && got != want {
			problems = append(problems, fmt.Errorf("%s is %q, got %q", field, want, got))
		}
	}
	switch e, _ := errors.AsType[*provider.Error](err); {
	case e != nil:
		expect("expect", e.Kind.String())
		expect("expect-code", e.Code)
		expect("expect-option", e.Option)
		expect("expect-retry-after", normal(r.fields, "expect-retry-after", e.RetryAfter))
	case err != nil:
		problems = append(problems, err)
	default:
		problems = append(problems, r.judgeResult(result, expect)...)
	}
	return problems
}

func (r *recorded) judgeResult(result any, expect func(field, got string)) []error {
	switch v := result.(type) {
	case *provider.Token:
		expect("expect", "token")
		expect("expect-expires-in", life(r.fields, "expect-expires-in", v.ExpiresIn))
		expect("expect-refresh-expires-in", life(r.fields, "expect-refresh-expires-in", v.RefreshExpiresIn))
		expect("expect-refresh-token", presence(v.RefreshToken != ""))
		scopes := strings.Join(v.Scopes, " ")
		if v.Scopes == nil {
			scopes = "absent"
		}
		expect("expect-scopes", scopes)
		return r.judgeExtra(v.Extra)
	case *provider.Account:
		expect("expect", "account")
		expect("expect-account", v.ID)
	default:
		expect("expect", "ok")
	}
	return nil
}

func (r *recorded) judgeExtra(extra map[string]any) []error {
	var problems []error
	for want := range strings.SplitSeq(r.fields["expect-extra"], ",") {
		name, value, valued := strings.Cut(strings.TrimSpace(want), "=")
		got, ok := extra[name]
		switch {
		case name == "":
		case !ok:
			problems = append(problems, fmt.Errorf("the field %q of the reply is not in Extra", name))
		case valued && fmt.Sprint(got) != value:
			problems = append(problems, fmt.Errorf("the field %q is %v, want %s", name, got, value))
		}
	}
	return problems
}

// life writes a lifetime as the header does.
func life(fields map[string]string, field string, d *time.Duration) string {
	if d == nil {
		return "absent"
	}
	return normal(fields, field, *d)
}

// normal writes a duration the way the header wrote an equal one: 3600s is 1h.
func normal(fields map[string]string, field string, d time.Duration) string {
	if want, err := time.ParseDuration(fields[field]); err == nil && want == d {
		return fields[field]
	}
	return d.String()
}

func presence(present bool) string {
	if present {
		return "present"
	}
	return "absent"
}
