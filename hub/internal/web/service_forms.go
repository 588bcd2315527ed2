package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// newForm is the empty form of a provider.
func (p *servicePages) newForm(c *gin.Context) (view.ServiceForm, bool) {
	d, ok := p.catalogue.Provider(c.Param("provider"))
	if !ok {
		p.NotFound(c)
		return view.ServiceForm{}, false
	}
	return view.ServiceForm{
		Provider: view.ProviderOf(d, p.iconOf(d.Name), i18n.Lang(c.Request.Context())), Name: d.Name,
		Scopes: view.DefaultScopes(d), Options: view.DefaultOptions(d), NeedsClient: catalogue.NeedsClient(d), CallbackBase: p.publicURL + "/callback/",
	}, true
}

func (p *servicePages) serviceForm(c *gin.Context) {
	form, ok := p.newForm(c)
	if !ok {
		return
	}
	if _, err := p.services.Find(c.Request.Context(), form.Name); err == nil {
		form.Name += "-2"
	}
	p.showServiceForm(c, http.StatusOK, form)
}

func (p *servicePages) showServiceForm(c *gin.Context, status int, form view.ServiceForm) {
	p.render(c, status, page.ServiceForm(p.shell(c, view.SectionServices), form))
}

// editingForm is the form of a stored service, without its secrets.
func (p *servicePages) editingForm(c *gin.Context) (view.ServiceForm, service.Service, bool) {
	ctx := c.Request.Context()
	s, err := p.services.Find(ctx, c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return view.ServiceForm{}, s, false
	}
	d := *s.Description
	if own, ok := p.catalogue.Provider(s.Provider); ok {
		d = own
	}
	counts, err := p.services.Counts(ctx)
	if err != nil {
		p.fail(c, err)
		return view.ServiceForm{}, s, false
	}
	form := view.ServiceForm{
		Provider: view.ProviderOf(d, p.iconOf(s.Provider), i18n.Lang(ctx)), NeedsClient: catalogue.NeedsClient(d), Editing: s.Name, Name: s.Name, Title: s.Title,
		ClientID: s.ClientID, RedirectURI: s.RedirectURI, Scopes: s.Scopes, Options: view.DefaultOptions(d), PrivateHosts: strings.Join(s.PrivateHosts, ", "),
		CallbackBase: p.publicURL + "/callback/", Connections: counts[s.ID],
	}
	if s.ClientSecret != "" {
		form.Kept = append(form.Kept, "client_secret")
	}
	if !s.OtherSecret.IsZero() {
		form.Kept = append(form.Kept, catalogue.OtherSecretField)
	}
	form.SecretEnds, form.OtherEnds = view.EndText(s.SecretEndsAt), view.EndText(s.OtherSecret.EndsAt)
	options := s.Options
	if current, problems := d.Options.Validate(options); len(problems) == 0 {
		options = current // under the names of today
	}
	for _, o := range d.Options.Options {
		v, there := options[o.Name]
		switch {
		case there && o.Secret:
			form.Kept = append(form.Kept, o.Name)
		case there:
			form.Options[o.Name] = view.OptionText(v)
		}
	}
	return form, s, true
}

func (p *servicePages) editForm(c *gin.Context) {
	if form, _, ok := p.editingForm(c); ok {
		p.showServiceForm(c, http.StatusOK, form)
	}
}

// readServiceForm reads the form without its secrets, which are never shown again.
func readServiceForm(c *gin.Context, form *view.ServiceForm) {
	form.Name, form.Title = strings.TrimSpace(c.PostForm("name")), strings.TrimSpace(c.PostForm("title"))
	form.ClientID, form.RedirectURI = strings.TrimSpace(c.PostForm("client_id")), strings.TrimSpace(c.PostForm("redirect_uri"))
	form.PrivateHosts = strings.TrimSpace(c.PostForm("private_hosts"))
	form.Scopes = append(c.PostFormArray("scopes"), strings.Fields(c.PostForm("more_scopes"))...)
	form.Scopes = slices.DeleteFunc(form.Scopes, func(s string) bool { return strings.TrimSpace(s) == "" })
	form.SecretEnds, form.OtherEnds = strings.TrimSpace(c.PostForm(catalogue.SecretEndsField)), strings.TrimSpace(c.PostForm(catalogue.OtherSecretEndsField))
	form.UseOther, form.DropOther = ticked(c, "use_other"), ticked(c, "drop_other")
	readOptions(c, form)
	form.Again = enteredSecrets(c, *form)
}

// enteredSecrets names the secrets that were entered. The form does not repeat them, and marks
// their fields.
func enteredSecrets(c *gin.Context, form view.ServiceForm) []string {
	var names []string
	if c.PostForm("client_secret") != "" {
		names = append(names, "client_secret")
	}
	if c.PostForm(catalogue.OtherSecretField) != "" {
		names = append(names, catalogue.OtherSecretField)
	}
	for _, o := range form.Provider.Options.Options {
		if o.Secret && c.PostForm("options."+o.Name) != "" {
			names = append(names, o.Name)
		}
	}
	return names
}

// draftOf returns what was entered, with its secrets. Errors: *catalogue.InvalidError.
func draftOf(c *gin.Context, form view.ServiceForm) (catalogue.ServiceDraft, error) {
	draft := catalogue.ServiceDraft{
		Name: form.Name, Title: form.Title, Provider: form.Provider.Name, ClientID: form.ClientID,
		ClientSecret: c.PostForm("client_secret"), Scopes: form.Scopes, RedirectURI: form.RedirectURI, Options: map[string]any{},
		PrivateHosts:  strings.FieldsFunc(form.PrivateHosts, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }),
		ApprovedHosts: c.PostFormArray("approved_hosts"),
		ConsentHosts:  c.PostFormArray(catalogue.ConsentHostsField),
		OtherSecret:   c.PostForm(catalogue.OtherSecretField), UseOther: form.UseOther, DropOther: form.DropOther,
	}
	for _, o := range form.Provider.Options.Options {
		draft.Options[o.Name] = optionValue(c, form, o)
	}
	var err error
	if draft.SecretEndsAt, err = catalogue.ParseEnd(catalogue.SecretEndsField, form.SecretEnds); err == nil {
		draft.OtherEndsAt, err = catalogue.ParseEnd(catalogue.OtherSecretEndsField, form.OtherEnds)
	}
	return draft, err
}

// refused shows a form again with its problems; false if there are none.
func (p *servicePages) refused(c *gin.Context, form *view.ServiceForm, err error) bool {
	if err == nil {
		return false
	}
	form.Problems = problemsOf(err)
	if invalid, ok := errors.AsType[*catalogue.InvalidError](err); ok {
		form.ApproveHosts, form.ConsentHosts = invalid.Hosts, invalid.Consent
	}
	if cause, ok := errors.AsType[*provider.Error](err); ok {
		form.Refused = view.TroubleOf(cause)
	} else if form.Problems == nil {
		p.fail(c, err)
		return true
	}
	p.showServiceForm(c, http.StatusUnprocessableEntity, *form)
	return true
}

// problemsOf are the problems of an *catalogue.InvalidError by field.
func problemsOf(err error) map[string]i18n.Words {
	invalid, ok := errors.AsType[*catalogue.InvalidError](err)
	if !ok {
		return nil
	}
	problems := make(map[string]i18n.Words, len(invalid.Problems))
	for _, problem := range invalid.Problems {
		problems[problem.Field] = problem.Message
	}
	return problems
}
