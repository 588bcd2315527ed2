package service_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Of a service whose yes/no options were all kept as no, those that are yes by default
// are asked about, also where the option has become a choice since.
func TestWhatStandsAtNoAgainstItsDefaultIsADoubt(t *testing.T) {
	choice := func(def any, values map[string]string) provider.Option {
		return provider.Option{Name: "choice", Type: provider.OptionString, Default: def, Replaces: &provider.Replaced{Option: "old", Values: values}}
	}
	words := map[string]string{"true": "always", "false": "never"}
	for name, tt := range map[string]struct {
		option provider.Option
		stored any
		doubt  bool
	}{
		"a no against a yes":        {provider.Option{Name: "choice", Type: provider.OptionBoolean, Default: true}, false, true},
		"a yes":                     {provider.Option{Name: "choice", Type: provider.OptionBoolean, Default: true}, true, false},
		"a no by default":           {provider.Option{Name: "choice", Type: provider.OptionBoolean, Default: false}, false, false},
		"a choice against the yes":  {choice("always", words), "never", true},
		"a choice of another word":  {choice("always", words), "sometimes", false},
		"a choice that says either": {choice("always", map[string]string{"true": "always", "false": "always"}), "always", false},
		"a text":                    {provider.Option{Name: "choice", Type: provider.OptionString}, "no", false},
		"nothing stored":            {provider.Option{Name: "choice", Type: provider.OptionBoolean, Default: true}, nil, false},
	} {
		svc := service.Service{Doubtful: true, Description: &provider.Description{Options: provider.Schema{Options: []provider.Option{tt.option}}}, Options: map[string]any{}}
		if tt.stored != nil {
			svc.Options["choice"] = tt.stored
		}
		doubts := svc.Doubts()
		if (len(doubts) == 1) != tt.doubt {
			t.Errorf("%s: %d doubts", name, len(doubts))
		}
		want := tt.stored
		if tt.doubt {
			want = tt.option.Default
		}
		if usual := svc.AsUsual(); usual.Options["choice"] != want || svc.Options["choice"] != tt.stored {
			t.Errorf("%s: as usual it is %v, and kept as %v", name, usual.Options["choice"], svc.Options["choice"])
		}
		svc.Doubtful = false
		if len(svc.Doubts()) != 0 {
			t.Errorf("%s: it is asked about again", name)
		}
	}
}

// What is sent where is decided when secrets are entered; an older service is bound to
// what it reached.
func TestAServiceIsBoundToItsHosts(t *testing.T) {
	own := []provider.Host{{Pattern: "auth.example"}, {Pattern: "{option:server}", ClientSecret: true}}
	old := service.Service{Description: &provider.Description{Hosts: own[:1]}, Options: map[string]any{"server": "https://own.example"}}
	if got := service.HostNames(old.Bound(own)); !slices.Equal(got, []string{"auth.example", "own.example"}) {
		t.Errorf("an older service is bound to %v", got)
	}
	bound := old
	bound.Hosts = hosts("kept.example")
	if got := service.HostNames(bound.Bound(own)); !slices.Equal(got, []string{"kept.example"}) || bound.Held() {
		t.Errorf("bound to %v, held %t", got, bound.Held())
	}
	if bound.HeldHosts = hosts("new.example"); !bound.Held() {
		t.Error("new hosts wait for nobody's consent")
	}
	if got := fmt.Sprintf("%#v", service.Service{Name: "crm", ClientSecret: "hidden"}); strings.Contains(got, "hidden") {
		t.Error(got)
	}
}
