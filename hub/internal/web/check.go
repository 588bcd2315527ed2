package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// checkNew checks whether a service that is being added accepts authorizations.
func (p *servicePages) checkNew(c *gin.Context) {
	if form, ok := p.newForm(c); ok {
		p.check(c, form, "")
	}
}

// checkEdited does so for changes of a stored one.
func (p *servicePages) checkEdited(c *gin.Context) {
	if form, s, ok := p.editingForm(c); ok {
		p.check(c, form, s.Name)
	}
}

// check shows the form again with what was found; the page itself takes only that
// part, so that what was typed stays.
func (p *servicePages) check(c *gin.Context, form view.ServiceForm, editing string) {
	readServiceForm(c, &form)
	var found authflow.Checked
	draft, err := draftOf(c, form)
	if err == nil {
		found, err = p.services.Check(c.Request.Context(), editing, draft)
	}
	invalid, isInvalid := errors.AsType[*catalogue.InvalidError](err)
	cause, isCause := errors.AsType[*provider.Error](err)
	switch {
	case isInvalid:
		form.ApproveHosts, form.Problems = invalid.Hosts, problemsOf(err)
		form.Check = &view.ServiceCheck{Verdict: "incomplete"}
		for _, problem := range invalid.Problems {
			form.Check.Missing = append(form.Check.Missing, named(form, problem))
		}
	case isCause:
		form.Check = &view.ServiceCheck{Verdict: "refused", Cause: view.TroubleOf(cause)}
	case err != nil:
		p.fail(c, err)
		return
	default:
		form.Check = &view.ServiceCheck{Verdict: string(found.Verdict), Host: found.Host, Cause: view.TroubleOf(found.Cause)}
		form.Check.InsteadOption, form.Check.InsteadChoice = insteadOf(form.Provider.Options, found.Instead)
	}
	p.showServiceForm(c, http.StatusOK, form)
}

// named returns the problem of a field, with the field's title where the text alone does not
// identify it.
func named(form view.ServiceForm, problem catalogue.Problem) i18n.Words {
	name, isOption := strings.CutPrefix(problem.Field, "options.")
	option, known := form.Provider.Options.Option(name)
	if !isOption || !known {
		return problem.Message
	}
	return i18n.Words{EN: option.Title.EN + ": " + problem.Message.EN, RU: option.Title.RU + ": " + problem.Message.RU}
}

// insteadOf names a choice that a check has found to work.
func insteadOf(options provider.Schema, found *authflow.Instead) (option, choice provider.Text) {
	if found == nil {
		return option, choice
	}
	o, _ := options.Option(found.Option)
	for _, c := range o.Choices {
		if c.Value == found.Value {
			return o.Title, c.Title
		}
	}
	return option, choice
}
