package providerplugin

import (
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
	"github.com/evergrant/evergrant/sdk/provider"
)

// full is a description that says something of each enumeration.
func full() *provider.Description {
	return &provider.Description{
		Name: "acme", Title: provider.Text{EN: "Acme", RU: "Акме"},
		Grants: []provider.Grant{provider.GrantAuthorizationCode, provider.GrantRefresh}, AutoRenew: provider.AutoRenewRefreshToken,
		Rotation: provider.Rotation{Kind: provider.RotationRotatesWithGrace, RepeatSafe: true}, RenewWindow: provider.RenewWindow{Kind: provider.RenewOnDemand},
		PKCE: provider.PKCERequired, Throttles: provider.ThrottlesClient, Hosts: []provider.Host{{Pattern: "acme.example"}},
		ClientAuth: []provider.ClientAuth{{Grant: provider.GrantRefresh, Method: "client_secret_basic"}},
		API:        provider.API{In: provider.PlacementQuery, Name: "auth"},
		TestCalls:  []provider.TestCall{{Name: "me", Title: provider.Text{EN: "Me"}, URL: "https://acme.example/me"}},
	}
}

// Each enumeration crosses the border and back, and no word and no value is without the
// other.
func TestWordsCrossTheBorder(t *testing.T) {
	wire, err := v1Description(full())
	if err != nil {
		t.Fatal(err)
	}
	back, err := v1DescriptionFrom(wire)
	if err != nil {
		t.Fatal(err)
	}
	if want := full(); !reflect.DeepEqual(back, want) {
		t.Errorf("%+v came back as %+v", want, back)
	}
	for name, c := range map[string]struct {
		enum  protoreflect.EnumDescriptor
		words int
	}{
		"grants":       {providerv1.Grant(0).Descriptor(), len(grantsV1) + 1}, // an unspecified grant has no word
		"auto_renew":   {providerv1.AutoRenew(0).Descriptor(), len(autoRenewsV1)},
		"rotation":     {providerv1.Rotation(0).Descriptor(), len(rotationsV1)},
		"renew_window": {providerv1.RenewWindow(0).Descriptor(), len(renewWindowsV1)},
		"pkce":         {providerv1.Pkce(0).Descriptor(), len(pkcesV1)},
		"throttles":    {providerv1.Throttles(0).Descriptor(), len(throttlesV1)},
		"api.in":       {providerv1.Placement(0).Descriptor(), len(placementsV1)},
	} {
		if c.enum.Values().Len() != c.words {
			t.Errorf("%s has %d values on the wire and %d words", name, c.enum.Values().Len(), c.words)
		}
	}
}

// A value of a later contract takes the meaning that can cost no grant, and the
// administrator is told of the field.
func TestAValueOfALaterContractIsReadCarefully(t *testing.T) {
	for field, c := range map[string]struct {
		change func(*providerv1.Description)
		holds  func(*provider.Description) bool
	}{
		"grants": {
			func(w *providerv1.Description) { w.Grants = append(w.Grants, 99) },
			func(d *provider.Description) bool { return len(d.Grants) == 2 },
		},
		"client_auth": {
			func(w *providerv1.Description) { w.ClientAuth[0].Grant = 99 },
			func(d *provider.Description) bool { return len(d.ClientAuth) == 0 },
		},
		"auto_renew": {
			func(w *providerv1.Description) { w.AutoRenew = 99 },
			func(d *provider.Description) bool { return d.AutoRenew == provider.AutoRenewNone },
		},
		"rotation": {
			func(w *providerv1.Description) { w.Rotation = 99 },
			func(d *provider.Description) bool {
				return d.Rotation == provider.Rotation{Kind: provider.RotationRotatesRevokesAccess}
			},
		},
		"renew_window": {
			func(w *providerv1.Description) { w.RenewWindow = 99 },
			func(d *provider.Description) bool { return d.RenewWindow.Kind == provider.RenewBeforeExpiry },
		},
		"pkce": {
			func(w *providerv1.Description) { w.Pkce = 99 },
			func(d *provider.Description) bool { return d.PKCE == provider.PKCES256 },
		},
		"throttles": {
			func(w *providerv1.Description) { w.Throttles = 99 },
			func(d *provider.Description) bool { return d.Throttles == provider.ThrottlesUnknown },
		},
		"api.in": {
			func(w *providerv1.Description) { w.Api.In = 99 },
			func(d *provider.Description) bool { return d.API.In == "" && len(d.TestCalls) == 0 },
		},
	} {
		wire, err := v1Description(full())
		if err != nil {
			t.Fatal(err)
		}
		c.change(wire)
		d, err := v1DescriptionFrom(wire)
		switch {
		case err != nil:
			t.Errorf("%s: %v", field, err)
		case !c.holds(d):
			t.Errorf("%s is read as %+v", field, d)
		case len(d.Notices) != 1 || !strings.Contains(d.Notices[0].EN, " "+field+",") || !strings.Contains(d.Notices[0].RU, field):
			t.Errorf("%s: the administrator is told %+v", field, d.Notices)
		}
	}
}

// What is required is refused where it is not said, and an author's own word is not sent
// as if nothing had been said.
func TestWordsThatAreMissingOrInvented(t *testing.T) {
	for field, change := range map[string]func(*providerv1.Description){
		"auto_renew": func(w *providerv1.Description) { w.AutoRenew = 0 },
		"pkce":       func(w *providerv1.Description) { w.Pkce = 0 },
	} {
		wire, err := v1Description(full())
		if err != nil {
			t.Fatal(err)
		}
		change(wire)
		if _, err := v1DescriptionFrom(wire); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("without %s: %v", field, err)
		}
	}
	invented := full()
	invented.Rotation.Kind, invented.API.In = "sometimes", "cookie"
	_, err := v1Description(invented)
	if err == nil || !strings.Contains(err.Error(), `rotation is "sometimes"`) || !strings.Contains(err.Error(), `api.in is "cookie"`) {
		t.Errorf("invented words: %v", err)
	}
}

// Texts go by language, and one that the hub does not have is left aside.
func TestTextsGoByLanguage(t *testing.T) {
	wire := v1Text(provider.Text{EN: "Parcels", RU: "Посылки"})
	wire.ByLanguage["de"] = "Pakete"
	if got := v1TextFrom(wire); got != (provider.Text{EN: "Parcels", RU: "Посылки"}) {
		t.Errorf("it is %+v", got)
	}
	if only := v1Text(provider.Text{EN: "Parcels"}); len(only.GetByLanguage()) != 1 {
		t.Errorf("a language without a text is sent: %v", only)
	}
	e := v1ErrorDetail(&providerv1.ErrorDetail{Remedy: &providerv1.Text{ByLanguage: map[string]string{"en": strings.Repeat("a", 600), "ru": "Проверьте"}}})
	if len(e.Remedy.EN) > 510 || e.Remedy.RU != "Проверьте" {
		t.Errorf("the remedy is %d bytes and %q", len(e.Remedy.EN), e.Remedy.RU)
	}
}
