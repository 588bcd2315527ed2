package web

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// entered is what was read of the form of a grant.
type entered struct {
	grants.Entered

	// problem is what cannot be read of it; nil if all can.
	problem error
}

var textNoDate = i18n.Words{EN: "This is no date; write 2027-01-31.", RU: "Это не дата; напишите так: 2027-01-31."}

// readEntry takes what was entered into the fields of a schema and keeps it, without
// secrets, in the form. Fields that were not sent have no value.
func readEntry(c *gin.Context, e *view.Entry) map[string]any {
	values := map[string]any{}
	for _, o := range e.Schema.Options {
		text, sent := c.GetPostForm(e.Prefix + o.Name)
		if !sent {
			continue
		}
		switch {
		case o.Secret:
			values[o.Name] = text
			if text != "" {
				e.Again = append(e.Again, o.Name)
			}
			continue
		case o.Type == provider.OptionBoolean:
			text = strconv.FormatBool(ticked(c, e.Prefix+o.Name))
			values[o.Name] = text == "true"
		case o.Type == provider.OptionList:
			values[o.Name] = linesOf(text)
		default:
			values[o.Name] = strings.TrimSpace(text)
		}
		e.Values[o.Name] = text
	}
	return values
}

// readGrantEntry takes what was entered for a login or a key.
func readGrantEntry(c *gin.Context, e *view.GrantEntry) entered {
	read := entered{Entered: grants.Entered{Fields: readEntry(c, &e.Fields)}}
	if e.Ends = strings.TrimSpace(c.PostForm("ends_at")); !e.AskEnd || e.Ends == "" {
		return read
	}
	day, err := time.Parse(time.DateOnly, e.Ends)
	if err != nil {
		read.problem = &catalogue.InvalidError{Problems: []catalogue.Problem{{Field: "ends_at", Message: textNoDate}}}
		return read
	}
	read.Ends = day.AddDate(0, 0, 1) // the last day is one of its life
	return read
}

// prefixed are problems of fields under the names that they have in the form.
func prefixed(problems view.Problems, prefix string) view.Problems {
	named := maps.Clone(problems)
	for field, text := range problems {
		if name, of := strings.CutPrefix(field, "fields."); of {
			named[prefix+name] = text
		}
	}
	return named
}

// notObtained is why the service gave a connection no token, for the page that shows it.
type notObtained struct {
	Connection string
	Result     view.Result
}

// obtain has the hub get a token set by itself.
func (p *connectionPages) obtain(c *gin.Context) {
	if conn, _, ok := p.find(c); ok {
		p.obtainFor(c, conn.Name, nil)
	}
}

// obtainFor gets a connection its token set, and leads to its page, which says how it went.
func (p *connectionPages) obtainFor(c *gin.Context, name string, entry *entered) {
	var what grants.Entered
	if entry != nil {
		what = entry.Entered
	}
	finished, err := p.grants.Obtain(c.Request.Context(), name, what)
	if failure, is := errors.AsType[*authflow.Failure](err); is {
		err = p.show(c, shownObtain, notObtained{Connection: name, Result: p.granting.resultOf(c, failure)})
		finished = nil
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	if finished != nil {
		p.flash(c, view.Flash{Key: "obtain.obtained", Name: finished.Connection.Title})
	}
	back(c, "/connections/"+url.PathEscape(name))
}

// grantForm is the page on which the login or the key of a connection is replaced.
func (p *connectionPages) grantForm(c *gin.Context) {
	if form, ok := p.newGrantForm(c); ok {
		p.render(c, http.StatusOK, page.GrantForm(p.shell(c, view.SectionConnections), form))
	}
}

func (p *connectionPages) newGrantForm(c *gin.Context) (view.GrantForm, bool) {
	conn, s, ok := p.find(c)
	if !ok {
		return view.GrantForm{}, false
	}
	form := view.GrantForm{
		Connection: view.ConnectionOf(conn, s, p.iconOf(s.Provider), p.publicURL, time.Now()), Entry: view.GrantEntryOf(s.Description, conn.Grant),
	}
	if !form.Entry.Asks() {
		p.NotFound(c)
		return form, false
	}
	return form, true
}

// enterGrant checks a new login or key, and takes it in the place of the old one.
func (p *connectionPages) enterGrant(c *gin.Context) {
	form, ok := p.newGrantForm(c)
	if !ok {
		return
	}
	read := readGrantEntry(c, &form.Entry)
	err := read.problem
	if err == nil {
		_, err = p.grants.Obtain(c.Request.Context(), form.Connection.Name, read.Entered)
	}
	if p.notEntered(c, &form.Entry, &form.Result, err) {
		p.render(c, http.StatusUnprocessableEntity, page.GrantForm(p.shell(c, view.SectionConnections), form))
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "obtain.entered", Name: form.Connection.Title})
	back(c, "/connections/"+url.PathEscape(form.Connection.Name))
}

// notEntered adds to a form why what was entered was not taken; false for other errors.
func (p *connectionPages) notEntered(c *gin.Context, e *view.GrantEntry, result **view.Result, err error) bool {
	if problems := problemsOf(err); problems != nil {
		e.Fields.Problems = prefixed(problems, e.Fields.Prefix)
		return true
	}
	failure, is := errors.AsType[*authflow.Failure](err)
	if is {
		r := p.granting.resultOf(c, failure)
		*result = &r
	}
	return is
}

// optionsForm is the page of a connection's own options.
func (p *connectionPages) optionsForm(c *gin.Context) {
	if form, ok := p.newOptionsForm(c); ok {
		p.render(c, http.StatusOK, page.OptionsForm(p.shell(c, view.SectionConnections), form))
	}
}

func (p *connectionPages) newOptionsForm(c *gin.Context) (view.OptionsForm, bool) {
	conn, s, ok := p.find(c)
	if !ok {
		return view.OptionsForm{}, false
	}
	if s.Description.ConnectionOptions.IsZero() {
		p.NotFound(c)
		return view.OptionsForm{}, false
	}
	return view.OptionsForm{
		Connection: view.ConnectionOf(conn, s, p.iconOf(s.Provider), p.publicURL, time.Now()),
		Options:    view.EntryOf("options.", s.Description.ConnectionOptions, conn.Options),
	}, true
}

// setOptions stores the connection's own options.
func (p *connectionPages) setOptions(c *gin.Context) {
	form, ok := p.newOptionsForm(c)
	if !ok {
		return
	}
	_, err := p.connections.SetOptions(c.Request.Context(), which(c), readEntry(c, &form.Options))
	if form.Options.Problems = problemsOf(err); form.Options.Problems != nil {
		p.render(c, http.StatusUnprocessableEntity, page.OptionsForm(p.shell(c, view.SectionConnections), form))
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "obtain.options_saved", Name: form.Connection.Title})
	back(c, "/connections/"+url.PathEscape(form.Connection.Name))
}
