package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/definitions"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/sdk/definition"
)

// Definition is a service that is described without code.
type Definition struct {
	Name       string              `json:"name"`
	Title      string              `json:"title,omitempty"`
	Shipped    string              `json:"shipped,omitempty" doc:"The version that is shipped; absent if none is"`
	Enabled    int64               `json:"enabled" doc:"The number of the version that is served; 0 is the shipped one, or none"`
	Previous   int64               `json:"previous,omitempty" doc:"The version that a rollback goes back to"`
	Draft      int64               `json:"draft,omitempty" doc:"The version that is served for a try, as the provider draft.{name}"`
	Unverified int                 `json:"unverified" doc:"How many facts are marked as unverified"`
	Services   int                 `json:"services" doc:"How many services use it"`
	Trials     int                 `json:"trials" doc:"How many services use the draft"`
	ServedBy   string              `json:"served_by,omitempty" doc:"A plugin that serves the name instead"`
	Versions   []DefinitionVersion `json:"versions,omitempty" doc:"Those that were added here, newest first"`
	Document   string              `json:"document,omitempty" doc:"The text that is asked for; only of one definition"`
}

// DefinitionVersion is a version of a definition that was added here.
type DefinitionVersion struct {
	Number  int64     `json:"number"`
	Version string    `json:"version" doc:"What the document says"`
	Sum     string    `json:"sha256"`
	Origin  string    `json:"origin" enum:"folder,web"`
	AddedAt time.Time `json:"added_at"`
	AddedBy string    `json:"added_by,omitempty"`
}

// DocumentBody is a definition's text.
type DocumentBody struct {
	Document string `json:"document" maxLength:"262144" doc:"The definition, in YAML"`
}

func (a *API) registerDefinitions() {
	const tag = "Definitions"
	huma.Register(a.huma, operation("list-definitions", http.MethodGet, "/api/v1/definitions", "List services that are described without code", tag), a.listDefinitions)
	huma.Register(a.huma, operation("get-definition", http.MethodGet, "/api/v1/definitions/{name}", "Read a definition and its document", tag, 404), a.definition)
	check := operation("check-definition", http.MethodPost, "/api/v1/definition-checks", "Check a document without keeping it", tag, 422)
	check.DefaultStatus, check.MaxBodyBytes = http.StatusNoContent, 4*definition.MaxSize
	huma.Register(a.huma, check, a.checkDefinition)
	save := operation("save-definition", http.MethodPost, "/api/v1/definitions", "Keep a document as a version and serve it as a draft", tag, 409, 422)
	save.DefaultStatus, save.MaxBodyBytes = http.StatusCreated, 4*definition.MaxSize
	huma.Register(a.huma, save, a.saveDefinition)
	enable := operation("enable-definition", http.MethodPost, "/api/v1/definitions/{name}/enable", "Serve a version", tag, 404, 409, 422)
	enable.DefaultStatus = http.StatusNoContent
	huma.Register(a.huma, enable, a.enableDefinition)
	for act, do := range map[string]func(ctx context.Context, name string, losses bool) error{
		"rollback": a.definitions.Rollback, "disable": a.definitions.Disable,
		"discard": func(ctx context.Context, name string, _ bool) error { return a.definitions.Discard(ctx, name) },
	} {
		op := operation(act+"-definition", http.MethodPost, "/api/v1/definitions/{name}/"+act, definitionActs[act], tag, 404, 409, 422)
		op.DefaultStatus = http.StatusNoContent
		huma.Register(a.huma, op, a.definitionAct(do))
	}
}

var definitionActs = map[string]string{
	"rollback": "Serve the version before", "disable": "Serve the shipped definition again, or none", "discard": "End a draft",
}

func (a *API) listDefinitions(ctx context.Context, _ *struct{}) (*listOf[Definition], error) {
	items, _, err := a.definitions.List(ctx)
	if err != nil {
		return nil, a.fail(err)
	}
	views := make([]Definition, 0, len(items))
	for _, item := range items {
		views = append(views, definitionOf(item))
	}
	return list(views), nil
}

func definitionOf(i definitions.Item) Definition {
	d := Definition{
		Name: i.Name, Enabled: i.Slot.Enabled, Previous: i.Slot.Previous, Draft: i.Slot.Draft,
		Unverified: i.Unverified, Services: i.Served(), Trials: i.Tried(), ServedBy: i.ServedBy,
	}
	if i.Read != nil {
		d.Title = i.Read.Title.EN
	}
	if i.Shipped != nil {
		d.Shipped = i.Shipped.Version
	}
	for _, v := range i.Versions {
		d.Versions = append(d.Versions, versionOf(v))
	}
	return d
}

func versionOf(v plugindb.Definition) DefinitionVersion {
	return DefinitionVersion{Number: v.Number, Version: v.Version, Sum: v.Sum, Origin: v.Origin, AddedAt: v.AddedAt, AddedBy: v.AddedBy}
}

func (a *API) definition(ctx context.Context, in *struct {
	NameInput
	Version int64 `query:"version" minimum:"-1" default:"-1" doc:"The number of a version, 0 for the shipped one; without it the one that is served"`
}) (*one[Definition], error) {
	item, err := a.definitions.One(ctx, in.Name)
	if err != nil {
		return nil, a.fail(err)
	}
	number := in.Version
	if number < 0 {
		number = item.Slot.Enabled
	}
	d := definitionOf(item)
	d.Document, _ = item.Text(number)
	return &one[Definition]{Body: d}, nil
}

func (a *API) checkDefinition(_ context.Context, in *struct{ Body DocumentBody }) (*struct{}, error) {
	if _, err := a.definitions.Check(in.Body.Document); err != nil {
		return nil, a.fail(err)
	}
	return nil, nil
}

func (a *API) saveDefinition(ctx context.Context, in *struct{ Body DocumentBody }) (*one[Definition], error) {
	kept, err := a.definitions.Save(ctx, in.Body.Document)
	if err != nil {
		return nil, a.fail(err)
	}
	item, err := a.definitions.One(ctx, kept.Name)
	if err != nil {
		return nil, a.fail(err)
	}
	return &one[Definition]{Body: definitionOf(item)}, nil
}

func (a *API) enableDefinition(ctx context.Context, in *struct {
	NameInput
	Body struct {
		Version int64 `json:"version" minimum:"1" doc:"The number of the version"`
		Losses  bool  `json:"accept_losses,omitempty" doc:"Also if services lose something by it"`
	}
}) (*struct{}, error) {
	if err := a.definitions.Enable(ctx, in.Name, in.Body.Version, in.Body.Losses); err != nil {
		return nil, a.fail(err)
	}
	return nil, nil
}

func (a *API) definitionAct(do func(ctx context.Context, name string, losses bool) error) func(context.Context, *definitionInput) (*struct{}, error) {
	return func(ctx context.Context, in *definitionInput) (*struct{}, error) {
		if err := do(ctx, in.Name, in.Losses); err != nil {
			return nil, a.fail(err)
		}
		return nil, nil
	}
}

type definitionInput struct {
	NameInput
	Losses bool `query:"accept_losses" doc:"Also if services lose something by it"`
}

// definitionProblem is an act on a definition that is not carried out, with each problem of
// its document.
func definitionProblem(err error) (*Problem, bool) {
	refused, ok := errors.AsType[*definitions.RefusedError](err)
	if !ok {
		return nil, false
	}
	status, slug := http.StatusConflict, "definition-in-use"
	switch refused.Code {
	case definitions.CodeProblems, definitions.CodeTaken:
		status, slug = http.StatusUnprocessableEntity, "definition-problems"
	case definitions.CodeFailed:
		status, slug = http.StatusUnprocessableEntity, "plugin-failed"
	case definitions.CodeLosses:
		slug = "services-lose"
	case definitions.CodeNothing:
		slug = "no-previous-version"
	}
	p := problem(status, slug, "The definition is not changed", refused.Text.EN)
	for _, x := range refused.Problems {
		p.Errors = append(p.Errors, FieldProblem{Field: fmt.Sprintf("line %d", x.Line), Message: x.Text.EN})
	}
	return p, true
}
