package browser_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// 47 connections that suffer from one wrong secret are one incident, and mending
// it closes it.
func TestOneCauseIsOneIncidentHoweverManySuffer(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			const size = 47
			w := hubtest.PrepareWave(t, database, size)
			w.Server.SetFault(authserver.Fault{Status: http.StatusUnauthorized, Body: `{"error":"invalid_client"}`})
			r := hubtest.StartHubIn(t, w.Dir, w.Flags)
			hubtest.Eventually(t, "one incident with all of them", func() bool {
				open := r.Incidents(t, "open")
				return len(open) == 1 && open[0].Affected == size
			})
			open := r.Incidents(t, "open")[0]
			if open.Kind != "client" || open.Of != "wave" || open.Who != "operator" || open.Code != "invalid_client" {
				t.Errorf("%+v", open)
			}
			var whole hubtest.Incident
			r.Admin.Must(t, "GET", "/api/v1/incidents/"+open.ID, nil, &whole)
			if len(whole.Connections) != size {
				t.Errorf("%d connections are named", len(whole.Connections))
			}
			w.Server.ClearFaults()
			r.Admin.Must(t, "PUT", "/api/v1/services/wave", map[string]any{
				"name": "wave", "title": "Wave", "provider": "oauth2", "client_id": "client", "client_secret": "secret",
				"scopes": []string{"offline_access"}, "options": map[string]any{"issuer": w.URL},
			}, nil)
			hubtest.Eventually(t, "the incident is over", func() bool { return len(r.Incidents(t, "open")) == 0 && len(r.Incidents(t, "closed")) == 1 })
			if over := r.Incidents(t, "closed")[0]; over.ID != open.ID || over.ClosedAt == nil {
				t.Errorf("closed: %+v", over)
			}
			hubtest.Eventually(t, "the log says so", func() bool { return hubtest.Contains(r.Log, "incident closed") })
			if w.Server.DoubleSpent() != 0 {
				t.Errorf("%d refresh tokens were spent twice", w.Server.DoubleSpent())
			}
		})
	}
}

// An endpoint that answers 503 is one outage, also of those that were put off.
func TestAnOutageIsOneIncidentOfItsEndpoint(t *testing.T) {
	t.Parallel()
	const size = 120
	w := hubtest.PrepareWave(t, "sqlite", size)
	w.Server.SetFault(authserver.Unavailable(http.StatusServiceUnavailable))
	r := hubtest.StartHubIn(t, w.Dir, w.Flags)
	hubtest.Eventually(t, "one outage with all of them", func() bool {
		open := r.Incidents(t, "open")
		return len(open) == 1 && open[0].Kind == "outage" && open[0].Affected == size
	})
	if open := r.Incidents(t, "open")[0]; !strings.Contains(w.URL, open.Of) || open.Who != "" {
		t.Errorf("%+v", open)
	}
}

// The forecast is where people look: in the API, and in their calendar.
func TestTheForecastIsInTheAPIAndInTheCalendar(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := startFurnished(t, world)
	var list struct {
		Forecast []struct {
			Connection, Reason string
			By                 time.Time
		} `json:"items"`
	}
	r.Admin.Must(t, "GET", "/api/v1/forecast", nil, &list)
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
	b := hubtest.StartBrowser(t, 1280, 900)
	b.SetUp(r)
	b.Open(r.Hub.URL() + "/settings")
	b.Click(`form[action="/settings/calendar"] button`)
	b.Wait("#calendar-url")
	address := hubtest.Script[string](b, `document.querySelector('#calendar-url').value`)
	read := func() (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		return hubtest.Send(t, req)
	}
	status, body := read()
	if status != http.StatusOK || !strings.Contains(body, "BEGIN:VEVENT") || !strings.Contains(body, "trial-calendar") {
		t.Errorf("%d\n%s", status, body)
	}
	if secret := strings.TrimSuffix(strings.Split(address, "/calendar/")[1], ".ics?lang=en"); strings.Contains(r.Log.String(), secret) {
		t.Error("the log holds the calendar's secret")
	}
	b.Open(r.Hub.URL() + "/settings")
	b.Click(`form[action="/settings/calendar/withdraw"] button`)
	b.See("is withdrawn")
	if status, _ := read(); status != http.StatusNotFound {
		t.Errorf("a withdrawn calendar answers %d", status)
	}
}
