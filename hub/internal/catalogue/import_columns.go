package catalogue

import (
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// ImportColumns are the columns of a table of grants, in any order; service is needed, and
// title or name. The last two are followed by the name of an option or field.
var ImportColumns = []string{"service", "title", "name", "grant", "refresh_token", "access_token", "expires_at", "ends_at", "tags", optionColumn + "…", fieldColumn + "…"}

// What the columns of options and fields begin with.
const (
	optionColumn = "option."
	fieldColumn  = "field."
)

// knownColumn reports whether a table may have a column.
func knownColumn(name string) bool {
	for _, prefix := range []string{optionColumn, fieldColumn} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest != ""
		}
	}
	return slices.Contains(ImportColumns[:len(ImportColumns)-2], name)
}

// columnOf is the column, or the field of the API, of a problem.
func columnOf(field string) string {
	if rest, ok := strings.CutPrefix(field, "options."); ok {
		return optionColumn + rest
	}
	if rest, ok := strings.CutPrefix(field, "fields."); ok {
		return fieldColumn + rest
	}
	return field
}

// withPrefix are the filled cells of the columns that begin with a prefix.
func withPrefix(at map[string]int, field func(string) string, prefix string) map[string]any {
	var found map[string]any
	for name := range at {
		rest, ok := strings.CutPrefix(name, prefix)
		value := field(name)
		if !ok || value == "" {
			continue
		}
		if found == nil {
			found = map[string]any{}
		}
		found[rest] = value
	}
	return found
}

// CheckImport sets the Problem of rows that their service refuses: options and fields by its
// schemas, and ways to get tokens that it does not offer. Rows of a service that is not
// there are left as they are: the run says so of each.
func CheckImport(rows []ImportRow, services map[string]service.Service, now time.Time) {
	for i := range rows {
		row := &rows[i]
		svc, there := services[row.Service]
		if row.tokenless && there {
			row.Problem = i18n.Words{}
		}
		if row.Bad() || !there || svc.Description == nil {
			continue
		}
		_, err := Incoming(svc, row.Import, now)
		row.fault(err)
	}
}

// fault sets the problem of a row to the first of an error, with its column in front.
func (r *ImportRow) fault(err error) {
	if first, ok := FirstProblem(err); ok {
		r.Field, r.Column = first.Field, columnOf(first.Field)
		r.Problem = i18n.Words{EN: r.Column + ": " + first.Message.EN, RU: r.Column + ": " + first.Message.RU}
	}
}

// needsToken reports whether a row that names its way to get tokens, or none, has to bring
// one. By what is entered, or by what the hub has of the service, none is needed.
func needsToken(by provider.Grant, entered bool) bool {
	return !entered && !by.Reissues() && by != provider.GrantStatic
}
