package catalogue

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/sdk/provider"
)

// MostImported bounds the rows of one table.
const MostImported = 5000

// ImportRow is a row of a table of grants.
type ImportRow struct {
	// Line is its line in the table; the header is 1.
	Line int
	Import
	// Problem is what is wrong with it, in Column if it is one; empty texts if nothing.
	Problem i18n.Words
	Column  string
	// Field is the same for the API; empty for the whole row.
	Field string
	// tokenless is set if the problem is that it has no token, and its service may get one by
	// itself.
	tokenless bool
}

// Bad reports whether the row cannot be imported as it is.
func (r ImportRow) Bad() bool { return r.Problem.EN != "" }

// ParseImport reads a table of grants as CSV with a header, separated by commas or
// semicolons. A row that cannot be used has its Problem set. Errors: *InvalidError
// for the field "table" if it is no such table at all.
func ParseImport(table string, now time.Time) ([]ImportRow, error) {
	refuse := func(en, ru string) ([]ImportRow, error) {
		invalid := &InvalidError{}
		invalid.add("table", en, ru)
		return nil, invalid
	}
	table = strings.TrimPrefix(table, "\ufeff")
	header, _, _ := strings.Cut(table, "\n")
	r := csv.NewReader(strings.NewReader(table))
	if strings.Count(header, ";") > strings.Count(header, ",") {
		r.Comma = ';'
	}
	r.FieldsPerRecord = -1
	columns, err := r.Read()
	if err != nil {
		return refuse("The table is empty: its first line must name the columns.", "Таблица пуста: в первой строке должны быть названия столбцов.")
	}
	at := map[string]int{}
	for i, name := range columns {
		name = strings.ToLower(strings.TrimSpace(name))
		if !knownColumn(name) {
			return refuse("The first line names a column that is not known. Known are: "+strings.Join(ImportColumns, ", ")+".",
				"В первой строке есть неизвестный столбец. Известны: "+strings.Join(ImportColumns, ", ")+".")
		}
		at[name] = i
	}
	if _, ok := at["service"]; !ok {
		return refuse(`The column "service" is missing.`, "Нет столбца «service».")
	}
	var rows []ImportRow
	names := map[string]int{}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			rows = append(rows, ImportRow{Line: parse.Line, Problem: i18n.Words{EN: "Its quotes do not match.", RU: "Кавычки не закрыты."}})
			return rows, nil
		}
		if len(rows) == MostImported {
			return refuse("The table has more than 5000 rows; split it.", "В таблице больше 5000 строк; разделите её.")
		}
		row := rowOf(at, record, now)
		row.Line, _ = r.FieldPos(0) // a record that was read has a field
		if before := names[row.Name]; before > 0 && !row.Bad() {
			row.Problem = i18n.Words{EN: "A row above has the same name.", RU: "То же имя есть в строке выше."}
		}
		names[row.Name] = row.Line
		rows = append(rows, row)
	}
}

func rowOf(at map[string]int, record []string, now time.Time) ImportRow {
	field := func(name string) string {
		if i, ok := at[name]; ok && i < len(record) {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	row := ImportRow{Import: Import{
		Service: field("service"), Name: field("name"), Title: field("title"), Tags: splitTags(field("tags")),
		By: provider.Grant(field("grant")), Options: withPrefix(at, field, optionColumn), Fields: withPrefix(at, field, fieldColumn),
	}}
	ends, said := parseMoment(field("ends_at"))
	if said {
		row.Ends = ends
	}
	row.bring(provider.Token{AccessToken: field("access_token"), RefreshToken: field("refresh_token")}, field("expires_at"), now)
	if field("ends_at") != "" && !said {
		row.Problem = noTime("ends_at")
	}
	return row
}

// NewImportRow is a row of an import that is no table. expires is when the access token
// ends, as in the column expires_at.
func NewImportRow(line int, in Import, token provider.Token, expires string, now time.Time) ImportRow {
	row := ImportRow{Line: line, Import: in}
	row.bring(token, expires, now)
	return row
}

// bring checks what a row says of its tokens.
func (r *ImportRow) bring(token provider.Token, expires string, now time.Time) {
	if r.Name == "" {
		r.Name = Slug(r.Title)
	}
	ends, said := parseMoment(expires)
	valid := token.AccessToken != "" && said && ends.After(now)
	switch {
	case r.Service == "":
		r.Problem = i18n.Words{EN: "It names no service.", RU: "Не указан сервис."}
	case r.By != "" && !slices.Contains(obtaining, r.By):
		r.Problem = i18n.Words{EN: "grant: known are " + grantWords() + ".", RU: "grant: известны " + grantWords() + "."}
	case expires != "" && !said:
		r.Problem = noTime("expires_at")
	case token.AccessToken == "" && token.RefreshToken == "":
		if needsToken(r.By, len(r.Fields) > 0) {
			r.Problem, r.tokenless = i18n.Words{EN: "It has no token.", RU: "Нет ни одного токена."}, r.By == ""
		}
		token = deadOnArrival(token)
	case !valid && token.RefreshToken == "":
		r.Problem = i18n.Words{EN: "Without a refresh token the access token needs expires_at in the future.", RU: "Без refresh-токена нужен expires_at в будущем."}
	case valid:
		token.ExpiresIn = new(ends.Sub(now))
	default:
		token = deadOnArrival(token)
	}
	r.Grant = token
}

func noTime(column string) i18n.Words {
	return i18n.Words{EN: column + " is no time: write 2027-01-31T12:00:00Z or Unix time.", RU: column + " не похоже на время: 2027-01-31T12:00:00Z или Unix-время."}
}

// grantWords are the ways to get tokens that a table may name.
func grantWords() string {
	words := make([]string, 0, len(obtaining))
	for _, grant := range obtaining {
		words = append(words, string(grant))
	}
	return strings.Join(words, ", ")
}
