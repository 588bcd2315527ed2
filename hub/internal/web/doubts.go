package web

import (
	"errors"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// doubtfulServices are those whose options wait for an administrator's answer.
func (p *Pages) doubtfulServices(c *gin.Context) ([]view.ServiceRef, error) {
	services, err := p.o.Services.Doubtful(c.Request.Context())
	var doubtful []view.ServiceRef
	for _, s := range services {
		if len(s.Doubts()) > 0 {
			doubtful = append(doubtful, p.serviceRef(s))
		}
	}
	return doubtful, err
}

// doubtfulPolicies are those that an earlier version stored as off, whether they were
// meant to be or not.
func (p *Pages) doubtfulPolicies(c *gin.Context) ([]policy.Policy, error) {
	policies, err := p.o.Notifications.Policies(c.Request.Context())
	return slices.DeleteFunc(policies, func(x policy.Policy) bool { return !x.Doubtful || x.Enabled }), err
}

// settleDoubts takes the answer. What was asked is in the record with it.
func (p *Pages) settleDoubts(c *gin.Context) {
	answer := c.PostForm("answer")
	if answer != "stored" && answer != "default" {
		p.NotFound(c)
		return
	}
	s, err := p.o.Services.SettleDoubts(c.Request.Context(), c.Param("name"), answer == "stored")
	if p.refusedAnswer(c, s, err) {
		return
	}
	p.flash(c, view.Flash{Key: "flash.doubts_settled", Name: s.Title})
	back(c, "/services/"+s.Name)
}

// refusedAnswer tells why an answer was not taken; false if it was.
func (p *Pages) refusedAnswer(c *gin.Context, s service.Service, err error) bool {
	if err == nil {
		return false
	}
	_, invalid := errors.AsType[*catalogue.InvalidError](err)
	_, refused := errors.AsType[*provider.Error](err)
	if !invalid && !refused {
		p.fail(c, err)
		return true
	}
	p.flash(c, view.Flash{Key: "flash.doubts_not_settled", Name: s.Title, Bad: true, Said: err.Error()})
	back(c, "/services/"+s.Name)
	return true
}
