package web

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// maxTable bounds a table of grants in bytes.
const maxTable = 8 << 20

func (p *Pages) importForm(c *gin.Context) {
	p.showImportForm(c, http.StatusOK, view.ImportForm{ConnectionForm: view.ConnectionForm{Service: c.Query("service")}})
}

// showImportForm never repeats a token.
func (p *Pages) showImportForm(c *gin.Context, status int, form view.ImportForm) {
	services, err := p.o.Store.Services(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, s := range services {
		form.Services = append(form.Services, p.serviceRef(s))
	}
	form.Columns = strings.Join(catalogue.ImportColumns, ",")
	p.render(c, status, page.Import(p.shell(c, view.SectionConnections), form))
}

// importOne adds a connection with a grant that was obtained elsewhere.
func (p *Pages) importOne(c *gin.Context) {
	form := view.ImportForm{ConnectionForm: view.ConnectionForm{Service: c.PostForm("service"), Name: c.PostForm("name"), Title: c.PostForm("title")}}
	grant, err := catalogue.ParseGrant(c.PostForm("grant"), time.Now())
	if err == nil {
		_, err = p.bringIn(c, catalogue.Import{Service: form.Service, Name: form.Name, Title: form.Title, Grant: grant})
	}
	if form.Problems = problemsOf(err); form.Problems != nil {
		p.showImportForm(c, http.StatusUnprocessableEntity, form)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	name := strings.TrimSpace(form.Name)
	if name == "" {
		name = catalogue.Slug(form.Title)
	}
	p.flash(c, view.Flash{Key: "flash.imported", Name: name})
	back(c, "/connections/"+url.PathEscape(name))
}

// bringIn imports a grant and renews it at once if it has no valid access token: who
// imports sees whether it works. What the service answers is told by the connection.
func (p *Pages) bringIn(c *gin.Context, in catalogue.Import) (renewed bool, _ error) {
	if u, ok := person(c); ok {
		in.Actor = u.ID
	}
	ctx := c.Request.Context()
	conn, err := p.o.Catalogue.Import(ctx, in)
	if err != nil {
		return false, err
	}
	p.owns(c, conn.ID)
	if in.Grant.AccessToken != "" {
		return false, nil
	}
	_, err = p.o.Source.RenewWithin(ctx, conn, tokensource.UsualWait)
	if err != nil {
		p.o.Logger.Warn("an imported grant was not renewed at once; its schedule goes on", "connection", conn.Name, "error", err)
	}
	return err == nil, nil
}

// importMany adds the connections of a table. A table with a mistake adds nothing; a
// row that the hub cannot take, because its name is in use, leaves the others alone.
func (p *Pages) importMany(c *gin.Context) {
	table, err := tableOf(c)
	var rows []catalogue.ImportRow
	if err == nil {
		rows, err = catalogue.ParseImport(table, time.Now())
	}
	if problems := problemsOf(err); problems != nil {
		p.showImportForm(c, http.StatusUnprocessableEntity, view.ImportForm{ConnectionForm: view.ConnectionForm{Problems: problems}})
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.Imported{Rows: make([]view.ImportedRow, 0, len(rows))}
	for _, row := range rows {
		if row.Bad() {
			v.Refused = true
		}
	}
	for _, row := range rows {
		v.Rows = append(v.Rows, p.importRow(c, row, v.Refused))
	}
	p.render(c, http.StatusOK, page.Imported(p.shell(c, view.SectionConnections), v))
}

func (p *Pages) importRow(c *gin.Context, row catalogue.ImportRow, refused bool) view.ImportedRow {
	result := view.ImportedRow{Line: row.Line, Name: row.Name, Title: row.Title, Problem: row.Problem}
	if refused {
		return result
	}
	in := row.Import
	if u, ok := person(c); ok {
		in.Actor = u.ID
	}
	conn, err := p.o.Catalogue.Import(c.Request.Context(), in) // the scheduler renews what has to be
	if invalid, ok := errors.AsType[*catalogue.InvalidError](err); ok {
		result.Problem = invalid.Problems[0].Message
		return result
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		result.Problem = provider.Text{EN: "There is no service of that name.", RU: "Сервиса с таким именем нет."}
	case err != nil:
		p.o.Logger.Error("a row was not imported", "line", row.Line, "error", err)
		result.Problem = provider.Text{EN: "The hub could not store it; import this row again.", RU: "Хаб не смог это сохранить; импортируйте эту строку ещё раз."}
	default:
		p.owns(c, conn.ID)
		result.Done = true
	}
	return result
}

// tableOf takes the table from the file or from the text.
func tableOf(c *gin.Context) (string, error) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxTable)
	file, _, err := c.Request.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return c.PostForm("table"), nil
	}
	if err != nil {
		invalid := &catalogue.InvalidError{Problems: []catalogue.Problem{{Field: "table", Message: provider.Text{
			EN: "The file could not be read; it may be larger than 8 MiB.", RU: "Файл не читается; возможно, он больше 8 МиБ.",
		}}}}
		return "", invalid
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(file)
	if len(content) == 0 {
		return c.PostForm("table"), err
	}
	return string(content), err
}
