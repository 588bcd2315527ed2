package config

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
)

// defaults are the fixed ones; derive fills in those that depend on others.
var defaults = map[string]any{
	"listen":                   "127.0.0.1:8080",
	"data_dir":                 "./data",
	"plugins.sandbox":          "best-effort",
	"plugins.disk_mib":         64,
	"plugins.max_steps":        32,
	"plugins.max_body_kib":     4096,
	"plugins.connect_timeout":  "3s",
	"log.level":                "info",
	"log.format":               "text",
	"data.compare_wait":        "10m",
	"shutdown_timeout":         "30s",
	"audit.keep":               "400d",
	"history.keep_count":       20,
	"history.keep_age":         "90d",
	"trash.keep":               "720h",
	"backup.every":             "24h",
	"backup.keep":              14,
	"renewal.workers":          128,
	"renewal.per_endpoint":     64,
	"renewal.lease":            "60s",
	"renewal.takeover":         "15m",
	"renewal.min_ttl":          "60s",
	"renewal.request_timeout":  "30s",
	"renewal.second_copy":      true,
	"renewal.exchange_timeout": "5m",
	"authorization_ttl":        "15m",
	"session.idle":             "12h",
	"session.absolute":         "30d",
	"tracing.sample":           0.1,
	"limits.streams_per_key":   500,
	"limits.streams":           5000,
}

// Load reads the configuration from a YAML file ("" for none), from variables
// (os.Environ) and from overrides, which are flags by key; later ones win. Its
// error is an *Error with every problem.
func Load(file string, environ []string, overrides map[string]any) (Config, error) {
	l := &loader{values: koanf.New("."), origin: map[string]string{}}
	l.lay("", confmapOf(defaults))
	l.file(file)
	l.variables(environ)
	l.flags(overrides)

	var c Config
	l.decode(&c)
	derive(&c)
	check(&c, l.complain)
	if len(l.problems) > 0 {
		return Config{}, &Error{Problems: l.problems}
	}
	return c, nil
}

// loader lays layers of values over each other and collects problems.
type loader struct {
	values   *koanf.Koanf
	origin   map[string]string // by key: the file, variable or flag it came from
	problems []Problem
}

// complain notes a problem of a key's value, once for a key.
func (l *loader) complain(key, text string) {
	if !slices.ContainsFunc(l.problems, func(p Problem) bool { return p.Key == key }) {
		l.problems = append(l.problems, Problem{Key: key, Origin: l.origin[key], Text: text})
	}
}

// lay puts a layer on top. Values that are empty leave what is below.
func (l *loader) lay(origin string, layer *koanf.Koanf) {
	for _, key := range layer.Keys() {
		value := layer.Get(key)
		if value == nil || value == "" {
			continue
		}
		if err := l.values.Set(key, value); err == nil {
			l.origin[key] = origin
		}
	}
}

func (l *loader) file(path string) {
	if path == "" {
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		l.problems = append(l.problems, Problem{Origin: path, Text: fmt.Sprintf("the file cannot be read: %v", err)})
		return
	}
	layer := koanf.New(".")
	if err := layer.Load(rawbytes.Provider(data), yaml.Parser()); err != nil {
		l.problems = append(l.problems, Problem{Origin: path, Text: "the file is no YAML of the form `key: value`: " + firstLine(err)})
		return
	}
	l.lay(path, l.known(path, layer, "write it into the variable "+prefix+"KEY, or name a file by key.file: this file is copied too easily"))
}

func (l *loader) flags(overrides map[string]any) {
	l.lay("flag", l.known("flag", confmapOf(overrides), "write it into the variable "+prefix+"KEY: flags are seen by everybody on the machine"))
}

// known removes unknown keys from a layer and reports each as a problem.
func (l *loader) known(origin string, layer *koanf.Koanf, secretElsewhere string) *koanf.Koanf {
	for _, key := range layer.Keys() {
		if _, ok := settingByKey(key); ok && key != secretKey {
			continue
		}
		problem := Problem{Key: key, Origin: origin}
		switch near := nearest(key, func(s setting) string { return s.key }); {
		case key == secretKey:
			problem.Text = secretElsewhere
		case isSection(key) && isEmpty(layer.Get(key)):
			continue // everything in the section is commented out
		case isSection(key):
			problem.Text = "is a section: write its keys below it, indented"
		case near != "":
			problem.Text = "is not known; is " + near + " meant?"
		default:
			problem.Text = "is not known; remove it (configs/evergrant.full.yaml shows all keys)"
		}
		l.problems = append(l.problems, problem)
		layer.Delete(key)
	}
	return layer
}

func (l *loader) variables(environ []string) {
	layer := koanf.New(".")
	err := layer.Load(env.Provider(".", env.Opt{
		Prefix:      prefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			if s, ok := settingByVariable(name); ok {
				return s.key, value
			}
			l.unknownVariable(name)
			return "", nil
		},
	}), nil)
	if err != nil {
		l.problems = append(l.problems, Problem{Origin: "environment", Text: firstLine(err)})
		return
	}
	l.lay("", layer)
	for _, key := range layer.Keys() {
		l.origin[key] = variableOf(key)
	}
}

func (l *loader) unknownVariable(name string) {
	if foreign.MatchString(name) {
		return
	}
	text := "the variable is not known; remove it (configs/evergrant.full.yaml names all)"
	if near := nearest(name, func(s setting) string { return s.variable }); near != "" {
		text = "the variable is not known; is " + near + " meant?"
	}
	l.problems = append(l.problems, Problem{Origin: name, Text: text})
}

// decode reads each value by the type of its field.
func (l *loader) decode(c *Config) {
	fields := reflect.ValueOf(c).Elem()
	for _, s := range settings {
		value := l.values.Get(s.key)
		if value == nil {
			continue
		}
		if problem := assign(fields.FieldByIndex(s.field), value); problem != "" {
			l.complain(s.key, problem)
		}
	}
}

func isEmpty(section any) bool {
	keys, ok := section.(map[string]any)
	return section == nil || (ok && len(keys) == 0)
}

func confmapOf(values map[string]any) *koanf.Koanf {
	layer := koanf.New(".")
	_ = layer.Load(confmap.Provider(values, "."), nil) // a map in memory does not fail
	return layer
}

// firstLine keeps an error of a parser to one line.
func firstLine(err error) string {
	text, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return text
}
