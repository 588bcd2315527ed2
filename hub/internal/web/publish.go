package web

import (
	"context"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// publish lets people without an account take access codes of a service.
func (p *Pages) publish(c *gin.Context) {
	p.setPublished(c, "flash.published", p.o.Services.Publish)
}

// unpublish ends that.
func (p *Pages) unpublish(c *gin.Context) {
	p.setPublished(c, "flash.unpublished", p.o.Services.Unpublish)
}

func (p *Pages) setPublished(c *gin.Context, flash string, do func(ctx context.Context, name string) (service.Service, error)) {
	s, err := do(c.Request.Context(), c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: flash, Name: s.Title})
	back(c, "/services/"+url.PathEscape(s.Name)+"#published")
}
