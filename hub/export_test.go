package hub

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"
)

// Routes are all addresses that the hub answers.
func (h *Hub) Routes() gin.RoutesInfo { return h.engine.Routes() }

// ScrapesAt is the address of metrics alone.
func (h *Hub) ScrapesAt() net.Addr { return h.scrapesAt }

// RunPeriodic does a periodic work now.
func (h *Hub) RunPeriodic(ctx context.Context, name string) error {
	for _, work := range periodicWork(h.store, h.acts.data, h.bulk, h.catalogue, h.connections, h.backups, h.cfg) {
		if work.Name == name {
			return work.Do(ctx)
		}
	}
	return errors.New("there is no periodic work " + name)
}

// Answer answers a request without a network.
func (h *Hub) Answer(w http.ResponseWriter, r *http.Request) { (*h.front.Load()).ServeHTTP(w, r) }

// BodyLimit is how much a route takes.
func (h *Hub) BodyLimit(method, route string) int64 { return h.bodyLimit(method, route) }

// NewServer is the server that a hub answers by.
func NewServer(handler http.Handler) *http.Server { return newServer(handler) }
