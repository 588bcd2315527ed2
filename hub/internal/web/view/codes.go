package view

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// CodeField is a field of access codes, to be copied by itself.
type CodeField struct{ Name, Value string }

// codesFirst are the fields that people look for, in that order; others follow by name.
var codesFirst = []string{"accessToken", "refreshToken", "clientId", "serviceId", "expires", "expiresIn", "authMethod", "scope"}

// CodeFieldsOf takes the document of access codes apart; nil for what is no object.
func CodeFieldsOf(document []byte) []CodeField {
	var values map[string]any
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber() // times in milliseconds stay whole numbers
	if decoder.Decode(&values) != nil {
		return nil
	}
	var fields []CodeField
	names := slices.Clone(codesFirst)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if text := codeText(values[name]); text != "" {
			fields = append(fields, CodeField{Name: name, Value: text})
		}
	}
	return fields
}

// codeText is a value as people paste it; "" for none.
func codeText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	}
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(data)
}
