package web

import (
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// publish lets people without an account take access codes of a service.
func (p *Pages) publish(c *gin.Context) { p.setPublished(c, true) }

// unpublish ends that.
func (p *Pages) unpublish(c *gin.Context) { p.setPublished(c, false) }

func (p *Pages) setPublished(c *gin.Context, on bool) {
	ctx := c.Request.Context()
	s, err := p.o.Store.ServiceByName(ctx, c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return
	}
	flash := "flash.unpublished"
	if on {
		u, _ := person(c)
		flash, err = "flash.published", p.o.Store.Publish(ctx, s.ID, u.Login, time.Now())
	} else {
		err = p.o.Store.Unpublish(ctx, s.ID)
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: flash, Name: s.Title})
	back(c, "/services/"+url.PathEscape(s.Name)+"#published")
}
