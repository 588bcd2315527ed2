package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/services"
	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// importPages take grants that were made elsewhere: one, or a table of them by a run.
type importPages struct {
	*kit
	*directory
	connections *connections.Connections
	services    *services.Services
	runner      *bulk.Runner
}

func newImportPages(k *kit, d *directory, o Options) *importPages {
	return &importPages{kit: k, directory: d, connections: o.Connections, services: o.Services, runner: o.Bulk}
}

func (p *importPages) routes(in inside) {
	manage := in.may(access.ActManage)
	manage.GET("/connections/import", p.importForm)
	manage.POST("/connections/import", p.importOne)
	manage.POST("/connections/import/table", p.importMany)
}

// MaxTable bounds a table of grants in bytes.
const MaxTable = 8 << 20

func (p *importPages) importForm(c *gin.Context) {
	lines, err := p.linesOfRest(c.Request.Context(), c.Query("rest"))
	if err != nil {
		p.fail(c, err)
		return
	}
	p.showImportForm(c, http.StatusOK, view.ImportForm{ConnectionForm: view.ConnectionForm{Service: c.Query("service")}, Refill: lines, Try: c.Query("try")})
}

// showImportForm shows the form again. It never repeats a token.
func (p *importPages) showImportForm(c *gin.Context, status int, form view.ImportForm) {
	services, err := p.services.Names(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, s := range services {
		form.Services = append(form.Services, view.ServiceRef{Name: s.Name, Title: s.Title})
	}
	form.Columns = strings.Join(catalogue.ImportColumns, ",")
	p.render(c, status, page.Import(p.shell(c, view.SectionConnections), form))
}

// importOne adds a connection with a grant that was obtained elsewhere.
func (p *importPages) importOne(c *gin.Context) {
	form := view.ImportForm{ConnectionForm: view.ConnectionForm{Service: c.PostForm("service"), Name: c.PostForm("name"), Title: c.PostForm("title")}}
	grant, err := catalogue.ParseGrant(c.PostForm("grant"), time.Now())
	if err == nil {
		form.Service, err = p.serviceEntered(c.Request.Context(), form.Service)
	}
	if err == nil {
		_, err = p.connections.ImportNow(c.Request.Context(), catalogue.Import{Service: form.Service, Name: form.Name, Title: form.Title, Grant: grant})
	}
	form.Problems = problemsOf(err)
	if errors.Is(err, store.ErrNotFound) {
		form.Problems = view.Problems{"service": textNoService}
	}
	if form.Problems != nil {
		form.Again = c.PostForm("grant") != "" && form.Problems["grant"].IsZero()
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

// importMany starts the run that adds the connections of a table, and redirects to its page. An
// invalid table adds nothing; a row that fails, for example because its name is in use, does
// not affect the others.
func (p *importPages) importMany(c *gin.Context) {
	table, err := tableOf(c)
	var rows []catalogue.ImportRow
	if err == nil {
		rows, err = catalogue.ParseImport(table, time.Now())
	}
	try := c.PostForm("try")
	if err == nil {
		err = p.connections.CheckImports(c.Request.Context(), rows)
	}
	if problems := problemsOf(err); problems != nil {
		p.showImportForm(c, http.StatusUnprocessableEntity, view.ImportForm{ConnectionForm: view.ConnectionForm{Problems: problems}, Refill: "all", Try: try})
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	bad := slices.DeleteFunc(slices.Clone(rows), func(row catalogue.ImportRow) bool { return !row.Bad() })
	if len(bad) > 0 {
		v := view.Imported{Refill: "all", Try: try, More: max(0, len(bad)-importProblems)}
		for _, row := range bad[:min(len(bad), importProblems)] {
			v.Rows = append(v.Rows, view.ImportedRow{Line: row.Line, Name: row.Name, Title: row.Title, Problem: row.Problem})
		}
		p.render(c, http.StatusUnprocessableEntity, page.Imported(p.shell(c, view.SectionConnections), v))
		return
	}
	id, err := p.runner.BeginImport(c.Request.Context(), rows, tryOf(try))
	if err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/bulk/"+id)
}

// tryOf is a way to try an import; what is unknown is none.
func tryOf(entered string) string {
	if slices.Contains(bulk.Tries, entered) {
		return entered
	}
	return bulk.TryNone
}

// importProblems is how many rows with a mistake are named.
const importProblems = 200

// linesOfRest are the lines of an import that are not imported, with the head of the table,
// for the browser to fill them in again; "" for none.
func (p *importPages) linesOfRest(ctx context.Context, runID string) (string, error) {
	if runID == "" {
		return "", nil
	}
	lines := []string{"1"}
	for _, state := range []string{bulkdb.BulkFailed, bulkdb.BulkCancelled} {
		run, _, items, err := p.runner.Run(ctx, runID, bulkdb.BulkPage{State: state, Limit: bulk.Most})
		if errors.Is(err, store.ErrNotFound) || err == nil && run.Act != bulk.Import {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		for _, item := range items {
			lines = append(lines, strconv.Itoa(item.N))
		}
	}
	return strings.Join(lines, ","), nil
}

// tableOf takes the table from the file or from the text.
func tableOf(c *gin.Context) (string, error) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, MaxTable)
	file, _, err := c.Request.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return c.PostForm("table"), nil
	}
	if err != nil {
		invalid := &catalogue.InvalidError{Problems: []catalogue.Problem{{Field: "table", Message: i18n.Words{
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
