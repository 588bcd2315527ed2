package grants_test

import (
	"testing"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// The beginning of a device authorization is recorded by who begins it, its end by the hub
// or, where a link was followed, by who made the link.
func TestADeviceAuthorizationIsRecordedFromItsStartToItsEnd(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		g, s, seq := of(r), r.Service(t, "svc"), int64(0)
		c := r.Connection(t, s, "sales")
		if _, err := g.StartDevice(r.As(t.Context(), access.RoleViewer), "sales", grants.Way{}); err == nil {
			t.Error("a viewer began one")
		}
		if _, err := g.StartDevice(r.As(t.Context(), access.RoleOperator), "sales", grants.Way{}); err == nil {
			t.Error("a connection that is authorized in the browser got a code")
		}
		want := "connection.authorize refused sales: this is not allowed\nconnection.authorize begun sales\n" +
			"connection.authorize refused sales: " + authflow.ErrNoDevice.Error()
		if got := r.Records(t, &seq); got != want {
			t.Errorf("recorded\n%s\nwant\n%s", got, want)
		}
		d := &authdb.Device{ConnectionID: c.ID}
		c.Account = provider.Account{ID: "7", Name: "ann@service.example"}
		g.DeviceEnded(t.Context(), d, &authflow.Finished{Connection: c}, nil)
		if last := r.Last(t); last.ActorKind != audit.KindHub || last.Detail["account"] != "ann@service.example (7)" || last.Detail["grant"] != "device_code" {
			t.Errorf("the record is %+v", last)
		}
		d.LinkedBy = "Ann Operator"
		g.DeviceEnded(t.Context(), d, nil, &authflow.Failure{Reason: authflow.ReasonDenied, Reference: "R1"})
		if last := r.Last(t); last.ActorKind != audit.KindLink || last.Actor != "Ann Operator" || last.Detail["reference"] != "R1" {
			t.Errorf("the record is %+v", last)
		}
		if got := r.Records(t, &seq); got != "connection.authorized done sales\nconnection.authorized refused sales: authorization failed: denied" {
			t.Errorf("recorded\n%s", got)
		}
		g.DeviceEnded(t.Context(), &authdb.Device{ConnectionID: "gone"}, nil, nil)
		if got := r.Records(t, &seq); got != "" {
			t.Errorf("of a connection that is gone: %s", got)
		}
	})
}
