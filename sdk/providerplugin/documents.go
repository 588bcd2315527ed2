package providerplugin

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Bounds of the documents of one plugin.
const (
	// MaxDocument bounds the text of a document, in bytes.
	MaxDocument = 256 << 10
	// MaxDocuments bounds how many a hub hands over.
	MaxDocuments = 1000
	// maxDescribed bounds what a plugin of documents says of itself, in bytes: it may serve
	// hundreds of providers.
	maxDescribed = 8 << 20
)

// FeatureDocuments is what a plugin provides that is made of documents.
const FeatureDocuments = "documents"

// Document describes a provider without code.
type Document struct {
	// Name is that of the provider that it is served as.
	Name string
	// Version is what the document says its version is.
	Version string
	// Sum is the SHA-256 of Text in lower-case hex.
	Sum string
	// Text is the document, at most MaxDocument.
	Text []byte
}

// DocumentProblem is why a document is not served.
type DocumentProblem struct {
	// Name is the document's.
	Name string
	// Line counts from 1; zero is not known.
	Line int
	// Text says what to write instead.
	Text provider.Text
}

// Documents are how a plugin makes providers of documents. A hub hands over documents of
// its own, which replace those that are shipped by their names.
type Documents struct {
	// Shipped are those that the plugin has by itself.
	Shipped []Document
	// Provider makes the provider of a document; it describes itself by the document's Name.
	// Without problems the provider is not nil. It is called for one document at a time.
	Provider func(Document) (provider.Provider, []DocumentProblem)
}

// shipped makes the providers of what the plugin has by itself.
func (d *Documents) shipped() ([]provider.Provider, error) {
	if d == nil {
		return nil, nil
	}
	providers := make([]provider.Provider, 0, len(d.Shipped))
	for _, document := range d.Shipped {
		p, problems := d.Provider(document)
		if len(problems) > 0 {
			return nil, fmt.Errorf("providerplugin: the document %s, line %d: %s", document.Name, problems[0].Line, problems[0].Text.EN)
		}
		providers = append(providers, p)
	}
	return providers, nil
}

// replaced are the documents that are shipped, with those of a set in their place, by name.
// Of those that cannot be served the problems are returned, and the shipped one stays.
func (d *Documents) replaced(set []Document) (providers []provider.Provider, problems []DocumentProblem) {
	made := map[string]provider.Provider{}
	for _, document := range append(slices.Clone(d.Shipped), set...) {
		p, wrong := d.provider(document)
		if problems = append(problems, wrong...); len(wrong) == 0 {
			made[document.Name] = p
		}
	}
	for _, name := range slices.Sorted(maps.Keys(made)) {
		providers = append(providers, made[name])
	}
	return providers, problems
}

// provider makes the provider of a document, whatever the document does to the plugin.
func (d *Documents) provider(document Document) (p provider.Provider, problems []DocumentProblem) {
	defer func() {
		if r := recover(); r != nil {
			p, problems = nil, []DocumentProblem{{Name: document.Name, Line: 1, Text: provider.Text{
				EN: "The plugin failed on this document; it is a defect of the plugin.", RU: "Плагин не справился с этим документом; это дефект плагина.",
			}}}
		}
	}()
	if p, problems = d.Provider(document); len(problems) == 0 {
		problems = unfitDocument(document, p)
	}
	return p, problems
}

// unfitDocument is the problem of a provider that no hub could use: one of them would keep
// the whole plugin from being served.
func unfitDocument(document Document, p provider.Provider) []DocumentProblem {
	described, _, err := descriptionOf(p)
	if err == nil && described.Name != document.Name {
		err = fmt.Errorf("it describes itself as %q", described.Name)
	}
	if err == nil {
		return nil
	}
	said := strings.TrimPrefix(err.Error(), "providerplugin: ")
	return []DocumentProblem{{Name: document.Name, Line: 1, Text: provider.Text{
		EN: "What this document describes cannot be served: " + said + ".", RU: "Описанное этим документом обслуживать нельзя: " + said + ".",
	}}}
}
