package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/app/overview"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// Incident is one trouble of one or many connections.
type Incident struct {
	ID   string `json:"id"`
	Kind string `json:"kind" enum:"client,service,outage,plugin,grant,uncertain,hub,clock,copied,restored,behind" doc:"What it is about: the client and its secret, a service's settings, an endpoint, a plugin, one grant, the hub, clocks that have stepped, a data folder that looks copied, a database that was restored and is being compared, grants that are behind a backup"`
	// Of says whose it is, by Kind.
	Of           string     `json:"of,omitempty" doc:"By kind: the service's or the connection's name, the endpoint's host, the provider"`
	Who          string     `json:"who,omitempty" enum:"operator,person" doc:"Who has to act; absent if it passes by itself"`
	Code         string     `json:"code,omitempty"`
	Message      string     `json:"message,omitempty"`
	Affected     int        `json:"affected" doc:"Connections that suffer from it now"`
	MostAffected int        `json:"most_affected"`
	OpenedAt     time.Time  `json:"opened_at"`
	ClosedAt     *time.Time `json:"closed_at,omitempty" doc:"When the last connection had recovered; absent while it is open"`
	// Connections are some of the affected.
	Connections []string `json:"connections,omitempty"`
}

type incidentsInput struct {
	State string `query:"state" enum:"open,closed" default:"open"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

type incidentInput struct {
	ID    string `path:"id"`
	Limit int    `query:"limit" minimum:"1" maximum:"5000" default:"100" doc:"How many affected connections to name"`
}

func (a *API) registerIncidents() {
	huma.Register(a.huma, operation("list-incidents", http.MethodGet, "/api/v1/incidents", "List incidents", "Incidents"), a.incidents)
	huma.Register(a.huma, operation("get-incident", http.MethodGet, "/api/v1/incidents/{id}", "Read an incident and who suffers from it", "Incidents", 404), a.incident)
	huma.Register(a.huma, operation("forecast", http.MethodGet, "/api/v1/forecast", "List by when people are needed, soonest first", "Incidents"), a.forecast)
}

func (a *API) incidents(ctx context.Context, in *incidentsInput) (*listOf[Incident], error) {
	found, err := a.store.Notices.Incidents(ctx, in.State == "closed", in.Limit)
	if err != nil {
		return nil, a.fail(err)
	}
	items := make([]Incident, len(found))
	for i, incident := range found {
		items[i] = a.incidentView(ctx, incident)
	}
	return list(items), nil
}

func (a *API) incident(ctx context.Context, in *incidentInput) (*one[Incident], error) {
	found, names, err := a.store.Notices.Incident(ctx, in.ID, in.Limit)
	if err != nil {
		return nil, a.fail(err)
	}
	view := a.incidentView(ctx, found)
	view.Connections = names
	return &one[Incident]{Body: view}, nil
}

func (a *API) incidentView(ctx context.Context, i noticedb.Incident) Incident {
	cause := connection.ParseCause(i.Cause)
	v := Incident{
		ID: i.ID, Kind: string(cause.Kind), Of: cause.Of, Who: cause.Who(), Code: i.Code, Message: i.Message, Affected: i.Affected,
		MostAffected: i.MostAffected, OpenedAt: i.OpenedAt.UTC(), ClosedAt: orAbsent(i.ClosedAt),
	}
	switch cause.Kind {
	case connection.CauseClient, connection.CauseService, connection.CauseRefusal:
		if svc, err := a.store.Services.Service(ctx, cause.Of); err == nil {
			v.Of = svc.Name
		}
	case connection.CauseGrant, connection.CauseUncertain:
		if c, err := a.store.Grants.Connection(ctx, cause.Of); err == nil {
			v.Of = c.Name
		}
	}
	return v
}

// Forecast says by when a person is needed.
type Forecast struct {
	Connection string    `json:"connection" doc:"Empty for the end of a service's client secret or certificate"`
	Service    string    `json:"service,omitempty" doc:"The service whose client secret or certificate ends"`
	Title      string    `json:"title"`
	By         time.Time `json:"by"`
	Reason     string    `json:"reason" enum:"no_auto_renew,no_refresh_token,refused,refresh_token_ends,client_secret_ends,client_certificate_ends"`
}

type forecastInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"5000" default:"500"`
}

func (a *API) forecast(ctx context.Context, in *forecastInput) (*listOf[Forecast], error) {
	rows, err := overview.New(a.store).Forecast(ctx, in.Limit)
	if err != nil {
		return nil, a.fail(err)
	}
	items := make([]Forecast, len(rows))
	for i, row := range rows {
		items[i] = Forecast{Connection: row.Name, Service: row.ServiceName, Title: row.Title, By: row.By.UTC(), Reason: row.Reason}
	}
	return list(items), nil
}
