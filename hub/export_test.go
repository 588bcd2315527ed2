package hub

import "github.com/gin-gonic/gin"

// Routes are all addresses that the hub answers.
func (h *Hub) Routes() gin.RoutesInfo { return h.engine.Routes() }
