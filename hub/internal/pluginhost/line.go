package pluginhost

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/hashicorp/go-hclog"
)

// line is what a plugin wrote, understood as far as it can be.
type line struct {
	level hclog.Level
	text  string
	// fields are the other keys of a JSON line, as JSON; empty without any.
	fields string
	// request is the name of the request that the plugin worked on; "" if it does not
	// say.
	request string
}

// requestID is the format of the hub's request IDs. The plugin returns it, so it is
// validated like all of its output.
var requestID = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// parseLine reads a line of a plugin: hclog's JSON or plain text. Every field is
// optional and may have any type. blank takes known secrets out of what it means. The
// result is redacted and printable.
func parseLine(raw []byte, blank func(string) string) line {
	raw = bytes.TrimRight(raw, "\r")
	l, ok := parseJSONLine(raw)
	if !ok {
		l = parseTextLine(string(raw))
	}
	l.text, l.fields = printable(redact(blank(l.text))), printable(redact(blank(l.fields)))
	return l
}

func parseJSONLine(raw []byte) (line, bool) {
	if len(raw) == 0 || raw[0] != '{' {
		return line{}, false
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		return line{}, false
	}
	text, ok := fields["@message"].(string)
	if !ok {
		return line{}, false // the whole line is then shown as it is
	}
	level, _ := fields["@level"].(string)
	l := line{level: levelOf(level), text: text}
	if request, ok := fields["request_id"].(string); ok && requestID.MatchString(request) {
		l.request = request
		delete(fields, "request_id")
	}
	for _, ours := range []string{"@message", "@level", "@timestamp", "@module"} {
		delete(fields, ours)
	}
	if len(fields) > 0 {
		if rest, err := json.Marshal(fields); err == nil {
			l.fields = string(rest)
		}
	}
	return l, true
}

func parseTextLine(text string) line {
	if isCrash(text) {
		return line{level: hclog.Error, text: text}
	}
	if word, rest, found := strings.Cut(strings.TrimPrefix(text, "["), "]"); found && strings.HasPrefix(text, "[") {
		if level := hclog.LevelFromString(word); level != hclog.NoLevel {
			return line{level: levelOf(word), text: strings.TrimSpace(rest)}
		}
	}
	return line{level: hclog.Info, text: text}
}

// isCrash reports whether a line is the reason of a Go program's crash.
func isCrash(text string) bool {
	return strings.HasPrefix(text, "panic:") || strings.HasPrefix(text, "fatal error:")
}

func levelOf(word string) hclog.Level {
	switch level := hclog.LevelFromString(word); level {
	case hclog.Trace, hclog.Debug, hclog.Warn, hclog.Error:
		return level
	default:
		return hclog.Info
	}
}
