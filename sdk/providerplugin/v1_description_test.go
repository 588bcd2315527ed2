package providerplugin

import (
	"reflect"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
)

// What is declared of calls that show the access work, and of options that depend on
// others, crosses the process border.
func TestTestCallsAndConditionsCrossTheBorder(t *testing.T) {
	d := &provider.Description{
		Name: "acme", Title: provider.Text{EN: "Acme"}, AutoRenew: provider.AutoRenewNone, PKCE: provider.PKCENone,
		Hosts: []provider.Host{{Pattern: "acme.example"}},
		TestCalls: []provider.TestCall{{
			Name: "me", Title: provider.Text{EN: "Me", RU: "Я"}, Shows: provider.Text{EN: "Who"}, Method: "POST", URL: "https://acme.example/me",
		}},
		Options: provider.Schema{Options: []provider.Option{
			{Name: "policy", Type: provider.OptionString, Choices: []provider.Choice{{Value: "on"}, {Value: "off"}}},
			{Name: "every", Type: provider.OptionInteger, OnlyIf: &provider.OnlyIf{Option: "policy", Values: []string{"on"}}},
		}},
	}
	wire, err := v1Description(d)
	if err != nil {
		t.Fatal(err)
	}
	back, err := v1DescriptionFrom(wire)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back.TestCalls, d.TestCalls) {
		t.Errorf("the calls are %+v", back.TestCalls)
	}
	if every, _ := back.Options.Option("every"); !reflect.DeepEqual(every.OnlyIf, d.Options.Options[1].OnlyIf) {
		t.Errorf("the option is %+v", every)
	}
	for name, change := range map[string]func(*provider.Description){
		"a name with a space":  func(d *provider.Description) { d.TestCalls[0].Name = "m e" },
		"a method that writes": func(d *provider.Description) { d.TestCalls[0].Method = "DELETE" },
		"no address":           func(d *provider.Description) { d.TestCalls[0].URL = "/me" },
		"an option of nothing": func(d *provider.Description) { d.Options.Options[1].OnlyIf.Option = "none" },
	} {
		bad, err := v1DescriptionFrom(wire)
		if err != nil {
			t.Fatal(err)
		}
		change(bad)
		if bad.Validate() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
