package definition

import (
	"fmt"
	"iter"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Problem is what is wrong with a document, and where.
type Problem struct {
	// Line counts from 1.
	Line int
	// Path is of the value, with dots.
	Path string
	// Text says what to write instead.
	Text provider.Text
}

// ParseErrors are all problems of a document, by line. There is at least one.
type ParseErrors []Problem

// Error implements error.
func (p ParseErrors) Error() string {
	lines := make([]string, len(p))
	for i, x := range p {
		lines[i] = fmt.Sprintf("line %d: %s", x.Line, strings.TrimSpace(x.Path+" "+x.Text.EN))
	}
	return strings.Join(lines, "\n")
}

func problem(line int, path, en, ru string) Problem {
	return Problem{Line: line, Path: strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", "."), Text: provider.Text{EN: en, RU: ru}}
}

// leaves are the causes of an error of the schema that have no causes of their own.
func leaves(e *jsonschema.ValidationError) iter.Seq[*jsonschema.ValidationError] {
	return func(yield func(*jsonschema.ValidationError) bool) { walk(e, yield) }
}

func walk(e *jsonschema.ValidationError, yield func(*jsonschema.ValidationError) bool) bool {
	if _, ok := e.ErrorKind.(*kind.AnyOf); ok || len(e.Causes) == 0 {
		return yield(e)
	}
	for _, cause := range e.Causes {
		if !walk(cause, yield) {
			return false
		}
	}
	return true
}

// explained says what a cause means and what to do.
func explained(top *yaml.Node, e *jsonschema.ValidationError) ParseErrors {
	node := nodeAt(top, e.InstanceLocation)
	at := func(line int, en, ru string) Problem {
		return problem(line, strings.Join(e.InstanceLocation, "/"), en, ru)
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		missing := strings.Join(k.Missing, ", ")
		return ParseErrors{at(node.Line, "Add "+missing+".", "Добавьте "+missing+".")}
	case *kind.AdditionalProperties:
		var problems ParseErrors
		for _, name := range k.Properties {
			problems = append(problems, at(lineOf(node, name), fmt.Sprintf("There is no field %q here; look for a typing error.", name), fmt.Sprintf("Поля «%s» здесь нет; проверьте, нет ли опечатки.", name)))
		}
		return problems
	case *kind.Enum:
		var allowed []string
		for _, v := range k.Want {
			allowed = append(allowed, fmt.Sprint(v))
		}
		list := strings.Join(allowed, ", ")
		return ParseErrors{at(node.Line, "Write one of: "+list+".", "Напишите одно из: "+list+".")}
	case *kind.Type:
		want := strings.Join(k.Want, ", ")
		return ParseErrors{at(node.Line, "This has to be of the type "+want+"; it is "+k.Got+".", "Здесь нужен тип "+want+", а не "+k.Got+".")}
	case *kind.AnyOf:
		return ParseErrors{at(node.Line, "Say by status, code or text when it fits.", "Укажите status, code или text, по которым это узнаётся.")}
	case *kind.Pattern:
		return ParseErrors{at(node.Line, "This is not written as it has to be: "+described(e)+".", "Так это не записывают: "+described(e)+".")}
	}
	text := strings.TrimSuffix(described(e), ".")
	return ParseErrors{at(node.Line, "This does not fit: "+text+".", "Не подходит: "+text+".")}
}

// described is what the library says of a cause.
func described(e *jsonschema.ValidationError) string {
	return e.ErrorKind.LocalizedString(message.NewPrinter(language.English))
}

// lineOf is the line of a field's name.
func lineOf(node *yaml.Node, name string) int {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i].Line
		}
	}
	return node.Line
}
