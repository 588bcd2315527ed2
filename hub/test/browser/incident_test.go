package hub_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// incident is what tests read of an incident.
type incident struct {
	ID, Kind, Of, Who, Code string
	Affected                int
	Connections             []string
	ClosedAt                *time.Time `json:"closed_at"`
}

// incidents are those of a state.
func (r *running) incidents(t *testing.T, state string) []incident {
	t.Helper()
	var list struct {
		Incidents []incident `json:"items"`
	}
	r.admin.must(t, "GET", "/api/v1/incidents?state="+state, nil, &list)
	return list.Incidents
}

// 47 connections that suffer from one wrong secret are one incident, and mending
// it closes it.
func TestOneCauseIsOneIncidentHoweverManySuffer(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			const size = 47
			w := prepareWave(t, database, size)
			w.server.SetFault(authserver.Fault{Status: http.StatusUnauthorized, Body: `{"error":"invalid_client"}`})
			r := startHubIn(t, w.dir, w.flags)
			eventually(t, "one incident with all of them", func() bool {
				open := r.incidents(t, "open")
				return len(open) == 1 && open[0].Affected == size
			})
			open := r.incidents(t, "open")[0]
			if open.Kind != "client" || open.Of != "wave" || open.Who != "operator" || open.Code != "invalid_client" {
				t.Errorf("%+v", open)
			}
			var whole incident
			r.admin.must(t, "GET", "/api/v1/incidents/"+open.ID, nil, &whole)
			if len(whole.Connections) != size {
				t.Errorf("%d connections are named", len(whole.Connections))
			}
			w.server.ClearFaults()
			r.admin.must(t, "PUT", "/api/v1/services/wave", map[string]any{
				"name": "wave", "title": "Wave", "provider": "oauth2", "client_id": "client", "client_secret": "secret",
				"scopes": []string{"offline_access"}, "options": map[string]any{"issuer": w.url},
			}, nil)
			eventually(t, "the incident is over", func() bool { return len(r.incidents(t, "open")) == 0 && len(r.incidents(t, "closed")) == 1 })
			if over := r.incidents(t, "closed")[0]; over.ID != open.ID || over.ClosedAt == nil {
				t.Errorf("closed: %+v", over)
			}
			eventually(t, "the log says so", func() bool { return contains(r.log, "incident closed") })
			if w.server.DoubleSpent() != 0 {
				t.Errorf("%d refresh tokens were spent twice", w.server.DoubleSpent())
			}
		})
	}
}

// An endpoint that answers 503 is one outage, also of those that were put off.
func TestAnOutageIsOneIncidentOfItsEndpoint(t *testing.T) {
	t.Parallel()
	const size = 120
	w := prepareWave(t, "sqlite", size)
	w.server.SetFault(authserver.Unavailable(http.StatusServiceUnavailable))
	r := startHubIn(t, w.dir, w.flags)
	eventually(t, "one outage with all of them", func() bool {
		open := r.incidents(t, "open")
		return len(open) == 1 && open[0].Kind == "outage" && open[0].Affected == size
	})
	if open := r.incidents(t, "open")[0]; !strings.Contains(w.url, open.Of) || open.Who != "" {
		t.Errorf("%+v", open)
	}
}

// The forecast is where people look: in the API, and in their calendar.
func TestTheForecastIsInTheAPIAndInTheCalendar(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startFurnished(t, world)
	var list struct {
		Forecast []struct {
			Connection, Reason string
			By                 time.Time
		} `json:"items"`
	}
	r.admin.must(t, "GET", "/api/v1/forecast", nil, &list)
	found := ""
	for i, f := range list.Forecast {
		if i > 0 && f.By.Before(list.Forecast[i-1].By) {
			t.Errorf("%s is out of order", f.Connection)
		}
		if f.Connection == "trial-calendar" {
			found = f.Reason
		}
	}
	if found != "no_refresh_token" {
		t.Errorf("the grant that was born dead is not in the forecast: %+v", list.Forecast)
	}
	b := startBrowser(t, 1280, 900)
	b.setUp(r)
	b.open(r.hub.URL() + "/settings")
	b.click(`form[action="/settings/calendar"] button`)
	b.wait("#calendar-url")
	address := script[string](b, `document.querySelector('#calendar-url').value`)
	read := func() (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		return send(t, req)
	}
	status, body := read()
	if status != http.StatusOK || !strings.Contains(body, "BEGIN:VEVENT") || !strings.Contains(body, "trial-calendar") {
		t.Errorf("%d\n%s", status, body)
	}
	if secret := strings.TrimSuffix(strings.Split(address, "/calendar/")[1], ".ics?lang=en"); strings.Contains(r.log.String(), secret) {
		t.Error("the log holds the calendar's secret")
	}
	b.open(r.hub.URL() + "/settings")
	b.click(`form[action="/settings/calendar/withdraw"] button`)
	b.see("is withdrawn")
	if status, _ := read(); status != http.StatusNotFound {
		t.Errorf("a withdrawn calendar answers %d", status)
	}
}
