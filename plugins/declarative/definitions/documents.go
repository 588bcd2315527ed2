package definitions

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/evergrant/evergrant/sdk/definition"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Documents are the shipped definitions, and how a provider is made of any other one.
func Documents() (*providerplugin.Documents, error) {
	names, err := fs.Glob(documents, "*.yaml")
	if err != nil {
		return nil, err
	}
	read := reader{}
	set := &providerplugin.Documents{Provider: read.provider}
	for _, name := range names {
		text, err := documents.ReadFile(name)
		if err != nil {
			return nil, err
		}
		sum := providerplugin.SumOf(text)
		d, err := definition.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		read[sum] = d
		set.Shipped = append(set.Shipped, providerplugin.Document{Name: d.Name, Version: d.Version, Sum: sum, Text: text})
	}
	return set, nil
}

// reader has the shipped definitions by the sum of their text, so that each is read once.
type reader map[string]*definition.Definition

// provider makes the provider of a document. It is served by the document's name, which for
// a draft is another one than the text has.
func (r reader) provider(document providerplugin.Document) (provider.Provider, []providerplugin.DocumentProblem) {
	shipped, known := r[document.Sum]
	if !known {
		d, err := definition.Parse(document.Text)
		if wrong, ok := errors.AsType[definition.ParseErrors](err); ok {
			return nil, problemsOf(document, wrong)
		}
		shipped = d
	}
	served := *shipped
	if served.Name != document.Name {
		served.Name = document.Name
		served.Title.EN, served.Title.RU = served.Title.EN+" (draft)", served.Title.RU+" (черновик)"
	}
	return served.Provider(), nil
}

func problemsOf(document providerplugin.Document, wrong definition.ParseErrors) []providerplugin.DocumentProblem {
	problems := make([]providerplugin.DocumentProblem, len(wrong))
	for i, p := range wrong {
		problems[i] = providerplugin.DocumentProblem{Name: document.Name, Line: p.Line, Text: p.Text}
	}
	return problems
}
