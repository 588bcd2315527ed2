package page

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"github.com/evergrant/evergrant/hub/internal/definitions"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// definitionURL is the page of a definition, or what is below it.
func definitionURL(name, below string) templ.SafeURL {
	if below != "" {
		below = "/" + below
	}
	return templ.URL("/definitions/" + url.PathEscape(name) + below)
}

func compareURL(name string, number int64) templ.SafeURL {
	return templ.URL("/definitions/" + url.PathEscape(name) + "?version=" + strconv.FormatInt(number, 10) + "#compared")
}

func editDefinitionURL(name string) templ.SafeURL {
	return templ.URL("/new-definition?" + url.Values{"from": {name}}.Encode())
}

func addServiceURL(providerName string) templ.SafeURL {
	return templ.URL("/services/new/" + url.PathEscape(providerName))
}

func lineURL(line int) templ.SafeURL { return templ.URL("#line-" + strconv.Itoa(line)) }

// definitionTitle is what the document calls the service.
func definitionTitle(ctx context.Context, d view.Definition) string {
	if d.Read == nil {
		return d.Name
	}
	return i18n.Text(ctx, provider.Text(d.Read.Title))
}

// definitionClass is the colour of what is served.
func definitionClass(d view.Definition) string {
	switch d.State() {
	case "off", "replaced":
		return "is-revoked"
	case "shipped":
		return "is-fresh"
	}
	return "is-retrying"
}

// definitionAnswer says in a sentence what is served.
func definitionAnswer(ctx context.Context, d view.Definition) string {
	switch state := d.State(); state {
	case "replaced":
		return i18n.T(ctx, "definition.replaced_text", "Plugin", d.ServedBy)
	case plugindb.OriginFolder, plugindb.OriginWeb:
		return i18n.T(ctx, "definition."+state+"_text", "Version", documentVersion(d), "Number", d.Slot.Enabled)
	default:
		return i18n.T(ctx, "definition."+state+"_text", "Version", documentVersion(d))
	}
}

// documentVersion is what the document that is served says its version is.
func documentVersion(d view.Definition) string {
	if d.Read == nil {
		return "–"
	}
	return d.Read.Version
}

func comparedTitle(ctx context.Context, d view.Definition) string {
	if d.Compared.Number == 0 {
		return i18n.T(ctx, "definitions.compared_shipped")
	}
	return i18n.T(ctx, "definitions.compared", "Number", d.Compared.Number)
}

// addedBy says whose a version is.
func addedBy(ctx context.Context, v plugindb.Definition) string {
	if v.Origin == plugindb.OriginFolder || v.AddedBy == "" {
		return i18n.T(ctx, "definition."+v.Origin)
	}
	return v.AddedBy
}

// fileNote says what is with a file of the watched folder.
func fileNote(ctx context.Context, n definitions.FileNote) string {
	if n.Gone {
		return i18n.T(ctx, "definitions.file_gone", "File", n.Name)
	}
	return i18n.T(ctx, "definitions.file_refused", "File", n.Name)
}

// lineClass is the colour of a line of a comparison; the sign says the same.
func lineClass(sign byte) string {
	switch sign {
	case '+':
		return "eg-line is-new"
	case '-':
		return "eg-line is-gone"
	}
	return "eg-line"
}

func lineText(l definitions.DiffLine) string {
	return fmt.Sprintf("%c %4d  %s", l.Sign, l.Number, l.Text)
}
