package definition

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// MaxSize bounds a document, in bytes.
const MaxSize = 256 << 10

//go:embed schema.json
var schemaJSON []byte

// Schema returns the JSON Schema of documents (draft 2020-12), for editors.
func Schema() []byte { return bytes.Clone(schemaJSON) }

// Parse reads a document. Errors: ParseErrors, each with its line.
func Parse(document []byte) (*Definition, error) {
	if len(document) > MaxSize {
		return nil, ParseErrors{problem(1, "", "The document has more than 256 KiB.", "В документе больше 256 КиБ.")}
	}
	var root yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, ParseErrors{unreadable(err)}
	}
	if len(root.Content) == 0 {
		return nil, ParseErrors{problem(1, "", "The document is empty.", "Документ пуст.")}
	}
	top := root.Content[0]
	value, problems := valueOf(top, "")
	if len(problems) > 0 {
		return nil, problems
	}
	if problems = againstSchema(top, value); len(problems) > 0 {
		return nil, problems
	}
	d := &Definition{}
	if err := top.Decode(d); err != nil {
		return nil, ParseErrors{unreadable(err)}
	}
	d.facts = factsOf(top, "")
	if problems = d.check(top); len(problems) > 0 {
		return nil, problems
	}
	return d, nil
}

// unreadable is the problem of a document that is no YAML, or of a value in it.
func unreadable(err error) Problem {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if wrong, ok := errors.AsType[*yaml.TypeError](err); ok && len(wrong.Errors) > 0 {
		text = wrong.Errors[0]
	}
	line := 1
	if rest, found := strings.CutPrefix(text, "line "); found {
		number, after, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			line, text = n, after
		}
		if strings.HasPrefix(text, "did not find") { // the library's parser counts from 0, its scanner from 1
			line++
		}
	}
	return problem(line, "", "This is not YAML that can be read: "+text+".", "Это не YAML, который можно прочесть: "+text+".")
}

// maxDepth bounds how deep a document is nested.
const maxDepth = 20

// valueOf is the JSON value of a node. YAML can do more than JSON: a document uses neither
// anchors nor names that are no texts, and each name once.
func valueOf(node *yaml.Node, path string) (value any, problems ParseErrors) {
	if strings.Count(path, "/") > maxDepth {
		return nil, ParseErrors{problem(node.Line, path, "This is nested too deep.", "Слишком глубокая вложенность.")}
	}
	switch node.Kind {
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			name := node.Content[i]
			if _, twice := object[name.Value]; twice || name.Kind != yaml.ScalarNode {
				problems = append(problems, problem(name.Line, path, fmt.Sprintf("%q is here twice, or is no name.", name.Value), fmt.Sprintf("«%s» здесь дважды или это не имя.", name.Value)))
				continue
			}
			v, more := valueOf(node.Content[i+1], path+"/"+name.Value)
			object[name.Value], problems = v, append(problems, more...)
		}
		return object, problems
	case yaml.SequenceNode:
		list := []any{}
		for i, item := range node.Content {
			v, more := valueOf(item, path+"/"+strconv.Itoa(i))
			list, problems = append(list, v), append(problems, more...)
		}
		return list, problems
	case yaml.ScalarNode:
		return scalar(node), nil
	default:
		return nil, ParseErrors{problem(node.Line, path, "Anchors and aliases are not supported; write the value out.", "Якоря и псевдонимы не поддерживаются; напишите значение целиком.")}
	}
}

// scalar is the JSON value of a scalar; a day stays a text.
func scalar(node *yaml.Node) any {
	switch node.Tag {
	case "!!bool":
		return node.Value == "true"
	case "!!int", "!!float":
		return json.Number(node.Value)
	case "!!null":
		return nil
	}
	return node.Value
}

// againstSchema checks a value against the schema.
func againstSchema(top *yaml.Node, value any) ParseErrors {
	schema, err := compiled()
	if err != nil {
		return ParseErrors{problem(1, "", err.Error(), err.Error())}
	}
	err = schema.Validate(value)
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return nil
	}
	var problems ParseErrors
	for leaf := range leaves(invalid) {
		problems = append(problems, explained(top, leaf)...)
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
	return slices.CompactFunc(problems, func(a, b Problem) bool { return a == b })
}

// compiled is the schema, compiled at the first document.
var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaJSON))
	if err != nil {
		return nil, err
	}
	const address = "definition.json"
	c := jsonschema.NewCompiler()
	if err := c.AddResource(address, document); err != nil {
		return nil, err
	}
	return c.Compile(address)
})

// nodeAt finds a node by the path that the schema's errors have: of the value, or of its
// parent if it is not there.
func nodeAt(node *yaml.Node, path []string) *yaml.Node {
	for _, name := range path {
		next := child(node, name)
		if next == nil {
			return node
		}
		node = next
	}
	return node
}

func child(node *yaml.Node, name string) *yaml.Node {
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == name {
				return node.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if n, err := strconv.Atoi(name); err == nil && n >= 0 && n < len(node.Content) {
			return node.Content[n]
		}
	}
	return nil
}

// factsOf lists the paths of all values of a node, with dots.
func factsOf(node *yaml.Node, path string) []string {
	if node.Kind != yaml.MappingNode {
		return []string{path}
	}
	var facts []string
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i].Value
		if path != "" {
			name = path + "." + name
		}
		facts = append(facts, factsOf(node.Content[i+1], name)...)
	}
	return facts
}
