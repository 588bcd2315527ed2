package services_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// secretsOf are a service's client secrets with the days of their ends, the current one first.
func secretsOf(s service.Service) string {
	var list []string
	for _, secret := range s.Secrets() {
		said := secret.Value
		if !secret.EndsAt.IsZero() {
			said += " " + secret.EndsAt.Format(time.DateOnly)
		}
		list = append(list, said)
	}
	return strings.Join(list, ", ")
}

func TestTheClientSecretsOfAServiceAreEdited(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		x := of(r, nil)
		r.Service(t, "crm")
		admin := r.As(t.Context(), access.RoleAdministrator)
		day := func(n int) *time.Time { end := time.Date(2101, 5, n, 0, 0, 0, 0, time.UTC); return &end }
		for _, s := range []struct {
			name    string
			change  func(d *catalogue.ServiceDraft)
			problem string // the field; "" is none
			want    string
			record  string
		}{
			{"nothing", func(*catalogue.ServiceDraft) {}, "", "secret", ""},
			{"an end of the only one", func(d *catalogue.ServiceDraft) { d.SecretEndsAt = day(1) }, "", "secret 2101-05-01", "client_secret_ends_at"},
			{"an end without its secret", func(d *catalogue.ServiceDraft) { d.OtherEndsAt = day(1) }, "other_client_secret_ends_at", "secret 2101-05-01", ""},
			{"an end that has passed", func(d *catalogue.ServiceDraft) { d.SecretEndsAt = new(time.Unix(1, 0)) }, "client_secret_ends_at", "secret 2101-05-01", ""},
			{"the same secret again", func(d *catalogue.ServiceDraft) { d.OtherSecret = "secret" }, "other_client_secret", "secret 2101-05-01", ""},
			{"a second one becomes current", func(d *catalogue.ServiceDraft) { d.OtherSecret, d.OtherEndsAt = "next", day(9) }, "", "next 2101-05-09, secret 2101-05-01",
				"client_secret client_secret_ends_at other_client_secret_ends_at"},
			{"both stay", func(*catalogue.ServiceDraft) {}, "", "next 2101-05-09, secret 2101-05-01", ""},
			{"the other one is made current", func(d *catalogue.ServiceDraft) { d.UseOther = true }, "", "secret 2101-05-01, next 2101-05-09",
				"client_secret client_secret_ends_at other_client_secret_ends_at"},
			{"an end is taken away", func(d *catalogue.ServiceDraft) { d.OtherEndsAt = new(time.Time{}) }, "", "secret 2101-05-01, next", "other_client_secret_ends_at"},
			{"the current one is replaced, and loses its end", func(d *catalogue.ServiceDraft) { d.ClientSecret = "third" }, "", "third, next", "client_secret client_secret_ends_at"},
			{"the other one is removed", func(d *catalogue.ServiceDraft) { d.DropOther = true }, "", "third", "other_client_secret"},
		} {
			draft := r.Draft("crm")
			draft.ClientSecret = ""
			s.change(&draft)
			_, err := x.Edit(admin, "crm", draft)
			invalid, _ := errors.AsType[*catalogue.InvalidError](err)
			if got := fieldsOf(invalid); got != s.problem || err != nil && invalid == nil {
				t.Errorf("%s: wrong are %q, want %q: %v", s.name, got, s.problem, err)
			}
			stored, err := r.Store.Services.ServiceByName(t.Context(), "crm")
			apptest.Must(t, err)
			if got := secretsOf(stored); got != s.want {
				t.Errorf("%s: %q, want %q", s.name, got, s.want)
			}
			detail := r.Last(t).Detail
			delete(detail, "reason")
			if got := strings.Join(slices.Sorted(maps.Keys(detail)), " "); got != s.record {
				t.Errorf("%s: recorded %q, want %q", s.name, got, s.record)
			}
			for _, said := range detail {
				for _, secret := range []string{"next", "third"} {
					if strings.Contains(said, secret) {
						t.Errorf("%s: the record says %q", s.name, said)
					}
				}
			}
		}
	})
}

func fieldsOf(invalid *catalogue.InvalidError) string {
	if invalid == nil {
		return ""
	}
	var fields []string
	for _, p := range invalid.Problems {
		fields = append(fields, p.Field)
	}
	return strings.Join(fields, " ")
}

// A secret that stays stored does not go to a host that it was not entered for, whichever
// of the two it is.
func TestBothStoredSecretsAreBoundToTheirHosts(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		x := of(r, nil)
		draft := r.Draft("crm")
		draft.OtherSecret = "second"
		if _, err := x.Add(r.As(t.Context(), access.RoleAdministrator), draft); err != nil {
			t.Fatal(err)
		}
		moved := r.Draft("crm")
		moved.Options = map[string]any{"server": "https://elsewhere.example"}
		_, err := x.Edit(r.As(t.Context(), access.RoleAdministrator), "crm", moved)
		invalid, _ := errors.AsType[*catalogue.InvalidError](err)
		if got := fieldsOf(invalid); got != "other_client_secret" {
			t.Errorf("wrong are %q: %v", got, err)
		}
	})
}

// What one renewal has found out is kept, once, and the others need not find it out.
func TestTheHubMakesTheWorkingSecretCurrent(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		x, seq, hub := of(r, nil), int64(0), act.With(t.Context(), act.Hub())
		draft := r.Draft("crm")
		draft.OtherSecret = "second"
		s, err := r.Catalogue.AddService(t.Context(), draft)
		apptest.Must(t, err)
		c := r.Connection(t, s, "sales")
		blocked := c.Failed(time.Now(), c.Generation, provider.Errorf(provider.Blocked, "invalid_client", "no"))
		apptest.Must(t, r.Store.Renewals.SaveFailure(t.Context(), blocked, c.Generation, "", ""))
		for range 2 {
			apptest.Must(t, x.UseSecret(hub, s.Swapped()))
		}
		if got := r.Records(t, &seq); got != "service.use_secret done crm" {
			t.Errorf("recorded\n%s", got)
		}
		stored, err := r.Store.Services.Service(t.Context(), s.ID)
		if err != nil || secretsOf(stored) != "second, secret" {
			t.Errorf("the secrets are %q: %v", secretsOf(stored), err)
		}
		if c, err := r.Store.Grants.Connection(t.Context(), c.ID); err != nil || c.Phase() != connection.PhaseHealthy {
			t.Errorf("what was blocked is %s: %v", c.Phase(), err)
		}
		if err := x.UseSecret(r.As(t.Context(), access.RoleOperator), s); !errors.Is(err, act.ErrNotAllowed) {
			t.Errorf("an operator: %v", err)
		}
	})
}
