package e2e_test

import (
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/demo"
	"github.com/evergrant/evergrant/sdk/provider"
)

// asBefore stores services as the form of earlier versions left them: every box empty.
// It stops the hub and starts it again.
func asBefore(t *testing.T, r *hubtest.Running, change map[string]map[string]any) *hubtest.Running {
	t.Helper()
	r.Behind(t, func(s *store.Store) {
		for name, options := range change {
			svc, err := s.Services.ServiceByName(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			was := svc.UpdatedAt
			delete(svc.Options, "rotation")
			maps.Copy(svc.Options, options)
			svc.Doubtful, svc.PluginSum, svc.UpdatedAt = true, "an earlier plugin", time.Now()
			svc.Description.Rotation = provider.Rotation{Kind: provider.RotationNone, RepeatSafe: true}
			if err := s.Services.ReplaceService(t.Context(), svc, was); err != nil {
				t.Fatal(err)
			}
		}
	})
	return hubtest.StartHubIn(t, r.Dir, nil)
}

// repeatSafe stops the hub and reports whether the hub would have repeated a lost
// renewal of a connection.
func repeatSafe(t *testing.T, r *hubtest.Running, connections ...string) map[string]bool {
	t.Helper()
	safe := map[string]bool{}
	r.Behind(t, func(s *store.Store) {
		for _, name := range connections {
			c, err := s.Grants.ConnectionByName(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			safe[name] = c.Policy.RepeatSafe()
		}
	})
	return safe
}

type doubt struct {
	Option          string
	Stored, Default any
}

func doubts(t *testing.T, r *hubtest.Running, name string) []doubt {
	t.Helper()
	var svc struct{ Doubts []doubt }
	r.Admin.Must(t, "GET", "/api/v1/services/"+name, nil, &svc)
	return svc.Doubts
}

// twoOfOAuth2 adds a second service of the emulated one.
func twoOfOAuth2(t *testing.T, r *hubtest.Running, world *demo.World) (first, second string) {
	t.Helper()
	s := world.Service("oauth2")
	r.AddService(t, s)
	r.Admin.Must(t, "POST", "/api/v1/services", map[string]any{
		"name": "other", "title": "Other", "provider": "oauth2", "client_id": s.ClientID, "client_secret": s.ClientSecret, "scopes": s.Scopes, "options": s.Options,
	}, nil)
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": "other", "name": "c-other", "title": "Other"}, nil)
	return s.Name, "other"
}

// Services that the form of an earlier version stored are handled with care until
// somebody has said how they are meant.
func TestServicesOfTheOldFormAreAskedAbout(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	first, second := twoOfOAuth2(t, r, world)
	google := world.Service("google-calendar")
	r.AddService(t, google)
	r = asBefore(t, r, map[string]map[string]any{
		first: {"rotates": false}, second: {"rotates": false}, google.Name: {"account_email": false, "include_granted_scopes": false},
	})
	for name, want := range map[string][]doubt{
		first: {{"rotation", "none", "rotates"}}, second: {{"rotation", "none", "rotates"}}, google.Name: {{"account_email", false, true}},
	} {
		if got := doubts(t, r, name); !reflect.DeepEqual(got, want) {
			t.Errorf("the doubts about %s are %v, want %v", name, got, want)
		}
	}
	if safe := repeatSafe(t, r, "c-oauth2", "c-other", "c-google-calendar"); safe["c-oauth2"] || safe["c-other"] || !safe["c-google-calendar"] {
		t.Errorf("before the answer a lost renewal is repeated: %v; only Google's may be, which never rotates", safe)
	}

	r = hubtest.StartHubIn(t, r.Dir, nil)
	boss := r.Owner(t)
	for lang, says := range map[string]string{"en": "probably stored wrong", "ru": "вероятно, сохранены неверно"} {
		boss.Ask("POST", "/preferences", url.Values{"lang": {lang}, "return_to": {"/"}})
		if _, page, _ := boss.Ask("GET", "/", nil); !strings.Contains(page, says) || !strings.Contains(page, "/services/"+second) {
			t.Errorf("the overview does not say %q", says)
		}
	}
	boss.Ask("POST", "/preferences", url.Values{"lang": {"en"}, "return_to": {"/"}})
	if _, page, _ := boss.Ask("GET", "/services/"+first, nil); !strings.Contains(page, "stored as “The refresh token stays”, by default “The refresh token is replaced”") {
		t.Error("the page of the service does not say which option stands how")
	}
	viewer := boss.Invite(r, "vera", "viewer")
	if status, _, _ := viewer.Ask("POST", "/services/"+first+"/doubts", url.Values{"answer": {"stored"}}); status != http.StatusForbidden {
		t.Errorf("whoever may only look answers: %d", status)
	}
	if status, _, _ := boss.Ask("POST", "/services/"+first+"/doubts", url.Values{"answer": {"perhaps"}}); status != http.StatusNotFound {
		t.Errorf("an answer that is none: %d", status)
	}
	for name, answer := range map[string]string{first: "stored", second: "default", google.Name: "default"} {
		if status, page, _ := boss.Ask("POST", "/services/"+name+"/doubts", url.Values{"answer": {answer}}); status != http.StatusSeeOther {
			t.Errorf("the answer %s is not taken: %d %s", answer, status, page)
		}
		if left := doubts(t, r, name); len(left) > 0 {
			t.Errorf("after the answer there are the doubts %v", left)
		}
	}
	if _, page, _ := boss.Ask("GET", "/", nil); strings.Contains(page, "probably stored wrong") {
		t.Error("the overview still asks")
	}
	if options := r.StoredOptions(t, second); options["rotation"] != "rotates" || options["rotates"] != nil {
		t.Errorf("the answer left the options %v", options)
	}
	if options := r.StoredOptions(t, google.Name); options["account_email"] != true || options["include_granted_scopes"] != false {
		t.Errorf("the answer left Google's options %v", options)
	}
	if _, page, _ := boss.Ask("GET", "/audit?act=service.settle", nil); !strings.Contains(page, first) || !strings.Contains(page, "account_email") {
		t.Error("the answers are not in the audit record")
	}
	if safe := repeatSafe(t, r, "c-oauth2", "c-other"); !safe["c-oauth2"] || safe["c-other"] {
		t.Errorf("after the answers a lost renewal is repeated: %v", safe)
	}
}

// Saving the form is no answer as long as the doubtful value stands; choosing the
// default is one.
func TestTheFormSettlesADoubtByItsValue(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	s := world.Service("oauth2")
	r.AddService(t, s)
	r = asBefore(t, r, map[string]map[string]any{s.Name: {"rotates": false}})
	boss := r.Owner(t)
	form := hubtest.ServiceForm(s)
	form.Del("client_secret")
	for _, step := range []struct {
		rotation string
		doubts   int
	}{{"none", 1}, {"rotates", 0}, {"none", 0}} {
		form.Set("options.rotation", step.rotation)
		if status, page, _ := boss.Ask("POST", "/services/"+s.Name+"/edit", form); status != http.StatusSeeOther {
			t.Fatalf("saving answers %d %s", status, page)
		}
		if left := doubts(t, r, s.Name); len(left) != step.doubts {
			t.Errorf("saved with %s there are the doubts %v, want %d", step.rotation, left, step.doubts)
		}
	}
}

// A service that a plugin refuses at the moment is handled with care all the same.
func TestADoubtfulServiceWhosePluginRefusesItIsHandledWithCare(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	s := world.Service("oauth2")
	connection := r.AddService(t, s)
	r = asBefore(t, r, map[string]map[string]any{s.Name: {"rotation": "none", "issuer": "http://127.0.0.1:1"}})
	if len(doubts(t, r, s.Name)) != 1 {
		t.Error("there is no doubt")
	}
	if repeatSafe(t, r, connection)[connection] {
		t.Error("a lost renewal is repeated")
	}
}

// What is stored from now on is never in doubt.
func TestAServiceOfTheNewFormIsNotInDoubt(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	s := world.Service("oauth2")
	boss := r.Owner(t)
	form := hubtest.ServiceForm(s)
	form.Set("options.rotation", "none")
	if status, page, _ := boss.Ask("POST", "/services/new/oauth2", form); status != http.StatusSeeOther {
		t.Fatalf("adding answers %d %s", status, page)
	}
	if left := doubts(t, r, s.Name); len(left) > 0 {
		t.Errorf("there are the doubts %v", left)
	}
}

// A policy that the old form stored as off is named until somebody saves it again.
func TestPoliciesThatTheOldFormStoredAsOffAreNamed(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	saved := policy.Policy{ID: store.NewID(), Title: "Ladder", Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{{To: policy.ToOwner}}}
	r.Behind(t, func(s *store.Store) {
		if err := s.Notices.SavePolicy(t.Context(), saved, time.Now()); err != nil {
			t.Fatal(err)
		}
	})
	r.Execute(t, "UPDATE escalation_policies SET doubtful = 1")
	r = hubtest.StartHubIn(t, r.Dir, nil)
	boss := r.Owner(t)
	if _, page, _ := boss.Ask("GET", "/", nil); !strings.Contains(page, "stored this policy as off") || !strings.Contains(page, "/escalation/policies/"+saved.ID) {
		t.Error("the overview does not name the policy")
	}
	form := url.Values{"title": {"Ladder"}, "enabled": {"false"}, "events": {"grant_ended"}, "after": {"0"}, "to": {policy.ToOwner}, "channel": {""}}
	if status, page, _ := boss.Ask("POST", "/escalation/policies/"+saved.ID, form); status != http.StatusSeeOther {
		t.Fatalf("saving answers %d %s", status, page)
	}
	if _, page, _ := boss.Ask("GET", "/", nil); strings.Contains(page, "stored this policy as off") {
		t.Error("the overview still names it")
	}
}
