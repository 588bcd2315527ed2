package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// addConnection adds a connection and gets it a grant. What its service asks for is shown
// first, if it asks for more than a name.
func (p *connectionPages) addConnection(c *gin.Context) {
	ctx := c.Request.Context()
	form := view.ConnectionForm{Service: c.PostForm("service"), Name: c.PostForm("name"), Title: c.PostForm("title")}
	var err error
	if form.Service, err = p.serviceEntered(ctx, form.Service); err == nil {
		err = p.askFor(c, &form)
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	if form.Known && c.PostForm("for") != form.Service {
		back(c, "/connections/new?"+url.Values{"service": {form.Service}, "name": {form.Name}, "title": {form.Title}}.Encode())
		return
	}
	n, entry := readConnectionForm(c, &form)
	added, err := p.added(ctx, form, n, entry, c.PostForm("then") == "later")
	if errors.Is(err, store.ErrNotFound) {
		form.Problems = view.Problems{"service": textNoService}
		p.showConnectionForm(c, http.StatusUnprocessableEntity, form)
		return
	}
	if form.Problems = problemsOf(err); form.Problems != nil {
		form.Options.Problems = form.Problems
		for i := range form.Entries {
			if form.Entries[i].Grant == n.Grant {
				form.Entries[i].Fields.Problems = prefixed(form.Problems, form.Entries[i].Fields.Prefix)
			}
		}
		p.showConnectionForm(c, http.StatusUnprocessableEntity, form)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.proceed(c, added, entry)
}

// added adds the connection. What was entered for its grant is checked first, so that a
// mistake in it leaves nothing behind.
func (p *connectionPages) added(ctx context.Context, form view.ConnectionForm, n catalogue.NewConnection, entry *entered, later bool) (connections.Added, error) {
	if entry != nil && !later {
		s, err := p.services.Find(ctx, form.Service)
		if err == nil {
			err = entry.check(s, n.Grant)
		}
		if err != nil {
			return connections.Added{}, err
		}
	}
	return p.connections.Add(ctx, form.Service, n)
}

// proceed gets a new connection its grant, unless that is to be done later.
func (p *connectionPages) proceed(c *gin.Context, added connections.Added, entry *entered) {
	name := added.Connection.Name
	switch {
	case c.PostForm("then") != "authorize":
		back(c, "/connections/"+url.PathEscape(name))
	case added.Connection.Grant == provider.GrantAuthorizationCode, added.Connection.Grant == provider.GrantDevice:
		p.granting.depart(c, name)
	default:
		p.obtainFor(c, name, entry)
	}
}

// askFor adds to the form what its service asks for beyond a name: nothing where people
// authorize in the browser alone. A service that there is none of is left to the act.
func (p *connectionPages) askFor(c *gin.Context, form *view.ConnectionForm) error {
	if form.Service == "" {
		return nil
	}
	s, err := p.services.Find(c.Request.Context(), form.Service)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	form.Grants = catalogue.GrantsOf(s)
	if len(form.Grants) == 0 {
		return nil
	}
	form.Grant = form.Grants[0]
	form.Known = len(form.Grants) > 1 || form.Grant != provider.GrantAuthorizationCode || !s.Description.ConnectionOptions.IsZero()
	form.Options = view.EntryOf("options.", s.Description.ConnectionOptions, nil)
	for _, g := range form.Grants {
		form.Entries = append(form.Entries, view.GrantEntryOf(s.Description, g))
	}
	return nil
}

// readConnectionForm reads what was entered into the form, and the entry of the chosen
// grant; nil where nothing is entered for it.
func readConnectionForm(c *gin.Context, form *view.ConnectionForm) (catalogue.NewConnection, *entered) {
	n := catalogue.NewConnection{Name: form.Name, Title: form.Title}
	if !form.Known {
		return n, nil
	}
	if chosen := provider.Grant(c.PostForm("grant")); slices.Contains(form.Grants, chosen) {
		form.Grant = chosen
	}
	n.Grant, n.Options = form.Grant, readEntry(c, &form.Options)
	var entry *entered
	for i := range form.Entries {
		if read := readGrantEntry(c, &form.Entries[i]); form.Entries[i].Grant == form.Grant && form.Entries[i].Asks() {
			entry = &read
		}
	}
	return n, entry
}

// check validates an entry before there is a connection.
func (e *entered) check(s service.Service, grant provider.Grant) error {
	if e.problem != nil {
		return e.problem
	}
	_, err := catalogue.CheckFields(s, grant, e.Fields)
	return err
}
