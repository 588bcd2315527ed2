package hub

import (
	"net"

	"github.com/gin-gonic/gin"
)

// Routes are all addresses that the hub answers.
func (h *Hub) Routes() gin.RoutesInfo { return h.engine.Routes() }

// ScrapesAt is the address of metrics alone.
func (h *Hub) ScrapesAt() net.Addr { return h.scrapesAt }
