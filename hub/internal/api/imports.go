package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// ImportBody is a table of grants that were made elsewhere.
type ImportBody struct {
	Try  string           `json:"try,omitempty" enum:"none,rows,all" default:"none" doc:"Whether to renew at once: none; rows: each row, and one that fails stays imported; all: every row, and all are taken into use only if each works. With all, what was renewed of a refused table is kept in the trash, and an import of the same tokens takes it from there. A renewal spends the old token: stop what still uses it first"`
	Rows []ImportRowInput `json:"rows" minItems:"1" maxItems:"5000"`
}

// ImportRowInput is a connection with its grant.
type ImportRowInput struct {
	Service      string         `json:"service" doc:"Name of the service"`
	Name         string         `json:"name,omitempty" doc:"Made of the title if empty"`
	Title        string         `json:"title,omitempty"`
	Tags         []string       `json:"tags,omitempty"`
	Grant        string         `json:"grant,omitempty" enum:"authorization_code,client_credentials,assertion,login,static,device_code" doc:"How it gets its tokens; needed where the service offers several ways and none is by a browser"`
	RefreshToken string         `json:"refresh_token,omitempty"`
	AccessToken  string         `json:"access_token,omitempty" doc:"Used only with expires_at in the future"`
	ExpiresAt    *time.Time     `json:"expires_at,omitempty" doc:"When the access token ends"`
	Options      map[string]any `json:"options,omitempty" doc:"The connection's own options, by the provider's connection_options"`
	Entry
}

// Import is an import under way, or over.
type Import struct {
	ID        string         `json:"id"`
	Try       string         `json:"try" enum:"none,rows,all"`
	CreatedAt time.Time      `json:"created_at"`
	DoneAt    *time.Time     `json:"done_at,omitempty" doc:"Absent while it goes on"`
	Counts    map[string]int `json:"counts" doc:"How many rows are in each state"`
	Rows      []ImportedRow  `json:"rows" doc:"In the order of the request"`
}

// ImportedRow is what came of a row.
type ImportedRow struct {
	Row     int    `json:"row" doc:"Its place in the request; the first is 1"`
	Name    string `json:"name"`
	State   string `json:"state" enum:"waiting,tried,done,troubled,failed,cancelled" doc:"tried: it works, and waits for the others; troubled: imported, but its renewal has failed; cancelled: not imported because of other rows or a person"`
	Code    string `json:"code,omitempty" doc:"Names the reason; stable. It ends in person, operator or later by who has to act"`
	Message string `json:"message,omitempty" doc:"The reason, in the service's words where it gave one"`
}

// ImportInput names an import.
type ImportInput struct {
	ID string `path:"id"`
}

func (a *API) registerImports() {
	begin := operation("import-connections", http.MethodPost, "/api/v1/imports", "Import connections with grants that were made elsewhere", "Connections", 422)
	begin.Description = "Begins in the background; GET the import for what comes of each row. 422: rows cannot be used as they are, and nothing is imported; errors names the field of each, as in rows[3].fields.password. What was entered is never returned."
	begin.DefaultStatus = http.StatusAccepted
	huma.Register(a.huma, begin, a.beginImport)
	huma.Register(a.huma, operation("get-import", http.MethodGet, "/api/v1/imports/{id}", "Show what came of an import", "Connections", 404), func(ctx context.Context, in *ImportInput) (*one[Import], error) {
		return a.importView(ctx, in.ID)
	})
}

func (a *API) beginImport(ctx context.Context, in *one[ImportBody]) (*one[Import], error) {
	now := time.Now()
	rows := make([]catalogue.ImportRow, 0, len(in.Body.Rows))
	names := map[string]bool{}
	for n, r := range in.Body.Rows {
		row := r.row(n+1, now)
		if row.Problem.EN == "" && names[row.Name] {
			row.Problem.EN, row.Field = "A row before has the same name.", "name"
		}
		names[row.Name] = true
		rows = append(rows, row)
	}
	if err := a.conns.CheckImports(ctx, rows); err != nil {
		return nil, a.fail(err)
	}
	if err := unusable(rows); err != nil {
		return nil, err
	}
	id, err := a.bulk.BeginImport(ctx, rows, tryOf(in.Body.Try))
	if err != nil {
		return nil, a.fail(err)
	}
	return a.importView(ctx, id)
}

// row is a row as it is imported.
func (r ImportRowInput) row(line int, now time.Time) catalogue.ImportRow {
	in := catalogue.Import{Service: r.Service, Name: r.Name, Title: r.Title, Tags: r.Tags, By: provider.Grant(r.Grant), Options: r.Options, Fields: r.Fields, Ends: r.entered().Ends}
	expires := ""
	if r.ExpiresAt != nil {
		expires = r.ExpiresAt.Format(time.RFC3339)
	}
	return catalogue.NewImportRow(line, in, provider.Token{AccessToken: r.AccessToken, RefreshToken: r.RefreshToken}, expires, now)
}

// unusable is a problem that names all rows that cannot be used as they are; nil if each can.
func unusable(rows []catalogue.ImportRow) error {
	p := problem(http.StatusUnprocessableEntity, "invalid-fields", "Some rows cannot be used as they are", "Nothing was imported. See errors for what to enter instead.")
	for _, row := range rows {
		if !row.Bad() {
			continue
		}
		field := fmt.Sprintf("rows[%d]", row.Line)
		if row.Field != "" {
			field += "." + row.Field
		}
		p.Errors = append(p.Errors, FieldProblem{Field: field, Message: row.Problem.EN})
	}
	if len(p.Errors) == 0 {
		return nil
	}
	return p
}

// tryOf and tryWord translate between the API and the argument of a run.
func tryOf(word string) string {
	if word == "none" {
		return bulk.TryNone
	}
	return word
}

func tryWord(try string) string {
	if try == bulk.TryNone {
		return "none"
	}
	return try
}

func (a *API) importView(ctx context.Context, id string) (*one[Import], error) {
	run, counts, items, err := a.bulk.Import(ctx, id)
	if err != nil {
		return nil, a.fail(err)
	}
	v := Import{ID: run.ID, Try: tryWord(run.Argument), CreatedAt: run.CreatedAt.UTC(), DoneAt: orAbsent(run.DoneAt), Counts: counts, Rows: make([]ImportedRow, 0, len(items))}
	for _, item := range items {
		v.Rows = append(v.Rows, importedRow(item))
	}
	return &one[Import]{v}, nil
}

func importedRow(item bulkdb.BulkItem) ImportedRow {
	v := ImportedRow{Row: item.N, Name: item.Name, State: item.State, Message: item.Message}
	key, said, ours := bulk.Said(item.Message)
	if !ours {
		return v
	}
	v.Code, v.Message = key, said
	switch key {
	case bulk.BothKey:
		v.Code = "invalid"
		v.Message, _ = bulk.Both(said)
	case bulk.BoundKey:
		v.Message = ""
	}
	return v
}
