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

// ImportColumns are the columns of a table of grants, in any order; the first three
// of them and one of the tokens are needed.
var ImportColumns = []string{"service", "title", "name", "refresh_token", "access_token", "expires_at", "tags"}

// MostImported bounds the rows of one table.
const MostImported = 5000

// ImportRow is a row of a table of grants.
type ImportRow struct {
	// Line is its line in the table; the header is 1.
	Line int
	Import
	// Problem is what is wrong with it; empty texts if nothing.
	Problem i18n.Words
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
		if !slices.Contains(ImportColumns, name) {
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
	}}
	if row.Name == "" {
		row.Name = Slug(row.Title)
	}
	token := provider.Token{AccessToken: field("access_token"), RefreshToken: field("refresh_token")}
	ends, said := parseMoment(field("expires_at"))
	valid := token.AccessToken != "" && said && ends.After(now)
	switch {
	case row.Service == "":
		row.Problem = i18n.Words{EN: "It names no service.", RU: "Не указан сервис."}
	case token.AccessToken == "" && token.RefreshToken == "":
		row.Problem = i18n.Words{EN: "It has no token.", RU: "Нет ни одного токена."}
	case field("expires_at") != "" && !said:
		row.Problem = i18n.Words{EN: "expires_at is no time: write 2027-01-31T12:00:00Z or Unix time.", RU: "expires_at не похоже на время: 2027-01-31T12:00:00Z или Unix-время."}
	case !valid && token.RefreshToken == "":
		row.Problem = i18n.Words{EN: "Without a refresh token the access token needs expires_at in the future.", RU: "Без refresh-токена нужен expires_at в будущем."}
	case valid:
		token.ExpiresIn = new(ends.Sub(now))
	default:
		token = deadOnArrival(token)
	}
	row.Grant = token
	return row
}
