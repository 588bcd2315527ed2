package web

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// parts are what a connection shares an authorization with, for its page.
func (p *connectionPages) parts(ctx context.Context, conn connection.Connection, s service.Service) (v view.Parts, err error) {
	found, err := p.connections.Parts(ctx, conn)
	if err != nil {
		return v, err
	}
	if conn.MainID != "" {
		return view.Parts{
			Part: view.PartTitle(s.Description, conn.Part), MainName: found.Main.Name, MainTitle: found.Main.Title, MainTrashed: found.Trashed,
		}, nil
	}
	now := time.Now()
	for _, part := range found.Of {
		v.Of = append(v.Of, view.ConnectionRowOf(part, view.ServiceRefOf(s, p.iconOf(s.Provider)), now))
	}
	return v, nil
}
