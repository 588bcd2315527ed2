package web

import (
	"errors"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// settleDoubts applies the answer to doubtful options. The record has question and answer.
func (p *servicePages) settleDoubts(c *gin.Context) {
	answer := c.PostForm("answer")
	if answer != "stored" && answer != "default" {
		p.NotFound(c)
		return
	}
	s, err := p.services.SettleDoubts(c.Request.Context(), c.Param("name"), answer == "stored")
	if p.refusedAnswer(c, s, err) {
		return
	}
	p.flash(c, view.Flash{Key: "flash.doubts_settled", Name: s.Title})
	back(c, "/services/"+s.Name)
}

// refusedAnswer reports why an answer was refused; false if it was accepted.
func (p *servicePages) refusedAnswer(c *gin.Context, s service.Service, err error) bool {
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
