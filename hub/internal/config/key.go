package config

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// prefix starts the name of every variable of ours.
const prefix = "EVERGRANT_"

// secretKey is given by variable alone: a file is copied and committed, flags
// are seen by everybody on the machine.
const secretKey = "key.value"

// setting is a field of Config that has a value, not a section.
type setting struct {
	key      string
	variable string
	field    []int // as reflect.Value.FieldByIndex takes it
}

// settings are all of them, in the order of Config.
var settings = settingsOf(reflect.TypeFor[Config](), "", nil)

func settingsOf(section reflect.Type, path string, index []int) []setting {
	var found []setting
	for i := range section.NumField() {
		field := section.Field(i)
		key, at := path+field.Tag.Get("koanf"), append(slices.Clone(index), i)
		if field.Type.Kind() == reflect.Struct {
			found = append(found, settingsOf(field.Type, key+".", at)...)
			continue
		}
		found = append(found, setting{key: key, variable: variableOf(key), field: at})
	}
	return found
}

func variableOf(key string) string {
	if key == secretKey {
		return prefix + "KEY"
	}
	return prefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func settingByKey(key string) (setting, bool) {
	i := slices.IndexFunc(settings, func(s setting) bool { return s.key == key })
	if i < 0 {
		return setting{}, false
	}
	return settings[i], true
}

func settingByVariable(name string) (setting, bool) {
	i := slices.IndexFunc(settings, func(s setting) bool { return s.variable == name })
	if i < 0 {
		return setting{}, false
	}
	return settings[i], true
}

// isSection reports whether key is the beginning of other keys.
func isSection(key string) bool {
	return slices.ContainsFunc(settings, func(s setting) bool { return strings.HasPrefix(s.key, key+".") })
}

// foreign are variables with our prefix that are not the hub's configuration:
// of the command line, of plugins, of tests, and those that Kubernetes sets for
// a service that is named evergrant or evergrant-….
var foreign = regexp.MustCompile(`^EVERGRANT_(CONFIG|URL|API_KEY|PLUGIN|SCREENSHOTS|TEST_.*` +
	`|([A-Z0-9_]+_)?SERVICE_(HOST|PORT(_.*)?)|([A-Z0-9_]+_)?PORT(_[0-9]+_(TCP|UDP|SCTP)(_.*)?)?)$`)

// nearest is the known name that a misspelt one is likely to mean, or "".
func nearest(name string, known func(setting) string) string {
	best, bestDistance := "", 4
	for _, s := range settings {
		if d := distance(name, known(s)); d < bestDistance {
			best, bestDistance = known(s), d
		}
	}
	return best
}

// distance is the number of letters to insert, remove or change (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Keys returns every key with its variable, for documentation and its tests.
func Keys() map[string]string {
	keys := make(map[string]string, len(settings))
	for _, s := range settings {
		keys[s.key] = s.variable
	}
	return keys
}
