package authflow_test

import (
	"net/http"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// Before anybody is sent to a service, its check says whether that can succeed.
func TestACheckFindsWhatKeepsAuthorizationsFromSucceeding(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), authserver.Config{})
	for name, tt := range map[string]struct {
		change func(*service.Service)
		out    map[string]int
		want   authflow.Verdict
	}{
		"as it should be":   {want: authflow.CheckAccepted},
		"a wrong secret":    {change: func(s *service.Service) { s.ClientSecret = "wrong" }, want: authflow.CheckRefused},
		"no page":           {out: map[string]int{"/authorize": http.StatusNotFound}, want: authflow.CheckNoPage},
		"no token endpoint": {out: map[string]int{"/token": http.StatusBadGateway}, want: authflow.CheckUnreachable},
		"a page not for us": {out: map[string]int{"/authorize": http.StatusForbidden}, want: authflow.CheckAccepted},
		"no such plugin":    {change: func(s *service.Service) { s.Provider = "gone" }, want: authflow.CheckRefused},
		"hosts not agreed":  {change: func(s *service.Service) { s.HeldHosts = []provider.Host{{Pattern: "new.example"}} }, want: authflow.CheckRefused},
		"an undeclared host": {change: func(s *service.Service) {
			d := *s.Description
			d.Hosts = []provider.Host{{Pattern: "declared.example"}}
			s.Description = &d
		}, want: authflow.CheckUnclear},
	} {
		svc := r.service
		if tt.change != nil {
			tt.change(&svc)
		}
		for path, status := range tt.out {
			r.out.Store(path, status)
		}
		checked := r.flow.Check(t.Context(), svc)
		r.out.Clear()
		if checked.Verdict != tt.want {
			t.Errorf("%s: %s because of %v, want %s", name, checked.Verdict, checked.Cause, tt.want)
		}
		if bad := tt.want != authflow.CheckAccepted && tt.want != authflow.CheckNoPage; bad != (checked.Cause != nil) {
			t.Errorf("%s: the cause is %v", name, checked.Cause)
		}
	}
	if n := r.server.DoubleSpent(); n != 0 {
		t.Errorf("%d codes were spent", n)
	}
}

func TestACheckOfAServiceThatIsAwayNamesItsHost(t *testing.T) {
	t.Parallel()
	r := newRig(t, storetest.SQLite(t), authserver.Config{})
	svc := r.service
	must(t, r.server.Close())
	r.served.Close()
	checked := r.flow.Check(t.Context(), svc)
	if checked.Verdict != authflow.CheckUnreachable || "http://"+checked.Host != r.address || checked.Cause == nil {
		t.Errorf("%s of %s: %v", checked.Verdict, checked.Host, checked.Cause)
	}
}
