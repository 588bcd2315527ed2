package main

import (
	"regexp"
	"strings"
)

// definition is a message, an enumeration or a service of the contract.
type definition struct {
	kind, name, comment string
	members             []member
}

// member is a field, a value or a method.
type member struct{ name, of, number, comment string }

var (
	opens  = regexp.MustCompile(`^(message|enum|service|oneof) (\w+) \{$`)
	field  = regexp.MustCompile(`^((?:repeated )?[\w.]+|map<[^>]+>) (\w+) = (\d+)[^;]*;`)
	value  = regexp.MustCompile(`^(\w+) = (\d+);`)
	method = regexp.MustCompile(`^rpc (\w+)\((.+)\) returns \((.+)\);`)
)

// reader goes through a file as buf formats it: a line holds one thing at the most, and what
// a comment is about comes right behind it.
type reader struct {
	found   []definition
	comment []string
	within  []string // kinds of the blocks around, outermost first
	oneof   string
}

// parse reads the definitions of a .proto file, in its order.
func parse(text string) []definition {
	r := &reader{}
	for line := range strings.Lines(text) {
		r.line(strings.TrimSpace(line))
	}
	return r.found
}

func (r *reader) line(line string) {
	if said, ok := strings.CutPrefix(line, "//"); ok {
		r.comment = append(r.comment, strings.TrimPrefix(said, " "))
		return
	}
	switch found := opens.FindStringSubmatch(line); {
	case found != nil && found[1] == "oneof":
		r.within, r.oneof = append(r.within, "oneof"), found[2]
	case found != nil:
		r.within = append(r.within, found[1])
		r.found = append(r.found, definition{kind: found[1], name: found[2], comment: r.said()})
	case line == "}" && len(r.within) > 0:
		if last := len(r.within) - 1; r.within[last] == "oneof" {
			r.oneof, r.within = "", r.within[:last]
		} else {
			r.within = r.within[:last]
		}
	case len(r.within) > 0:
		r.member(line)
	}
	r.comment = nil
}

func (r *reader) member(line string) {
	d := &r.found[len(r.found)-1]
	if f := field.FindStringSubmatch(line); f != nil && d.kind == "message" {
		of := f[1]
		if r.oneof != "" {
			of = "one of `" + r.oneof + "`: " + of
		}
		d.members = append(d.members, member{name: f[2], of: of, number: f[3], comment: r.said()})
	} else if v := value.FindStringSubmatch(line); v != nil && d.kind == "enum" {
		d.members = append(d.members, member{name: v[1], number: v[2], comment: r.said()})
	} else if m := method.FindStringSubmatch(line); m != nil && d.kind == "service" {
		d.members = append(d.members, member{name: m[1], of: m[2] + " → " + m[3], comment: r.said()})
	}
}

func (r *reader) said() string { return strings.TrimSpace(strings.Join(r.comment, "\n")) }
