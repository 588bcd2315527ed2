package view

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Provider is what can be added as a service.
type Provider struct {
	Icon
	provider.Description
}

// ProviderOf makes a view of a description; icon is the address of its picture.
func ProviderOf(d provider.Description, icon, lang string) Provider {
	return Provider{Icon: Icon{URL: icon, Title: d.Title.In(lang)}, Description: d}
}

// Serves reports whether an operation is served.
func (p Provider) Serves(g provider.Grant) bool { return slices.Contains(p.Grants, g) }

// OptionValue is an option that was filled in.
type OptionValue struct {
	Title provider.Text
	Value string
	// Secret ones have no Value here.
	Secret bool
}

// OptionValuesOf lists what was filled in, in the order of the form.
func OptionValuesOf(s service.Service, lang string) []OptionValue {
	var values []OptionValue
	if s.Description == nil {
		return nil
	}
	for _, o := range s.Description.Options.Options {
		v, ok := s.Options[o.Name]
		if !ok {
			continue
		}
		value := OptionValue{Title: o.Title, Secret: o.Secret}
		if !o.Secret {
			value.Value = ChoiceTitle(o, OptionText(v), lang)
		}
		values = append(values, value)
	}
	return values
}

// ChoiceTitle is the title of a chosen value, or the value itself.
func ChoiceTitle(o provider.Option, value, lang string) string {
	for _, c := range o.Choices {
		if c.Value == value && !c.Title.IsZero() {
			return c.Title.In(lang)
		}
	}
	return value
}

// OptionText is an option's value as a form field holds it: lists have a line
// for each entry, yes is "true".
func OptionText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []string:
		return strings.Join(v, "\n")
	case []any:
		lines := make([]string, len(v))
		for i := range v {
			lines[i] = fmt.Sprint(v[i])
		}
		return strings.Join(lines, "\n")
	case float64: // a number of a schema that came as JSON
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// ServiceForm adds or edits a service.
type ServiceForm struct {
	Provider Provider
	// Editing is the name of the service that is edited; empty when one is added.
	Editing string
	// What was entered so far.
	Name, Title, ClientID, RedirectURI string
	// SecretEnds and OtherEnds are the days on which the client secrets end, as YYYY-MM-DD or
	// as a time; "" is not known.
	SecretEnds, OtherEnds string
	// UseOther and DropOther are ticked to make the second secret the current one, or to
	// remove it.
	UseOther, DropOther bool
	Scopes              []string
	// PrivateHosts are those inside the own network, one in a line.
	PrivateHosts string
	// ApproveHosts are those that wait for an administrator's word.
	ApproveHosts []string
	// ConsentHosts are those that an owner may agree to have the grants go to.
	ConsentHosts []string
	// Options by name, as OptionText.
	Options map[string]string
	// Kept names the secrets that are stored and stay if left empty;
	// "client_secret" is one of them.
	Kept []string
	// Again names the secrets that were entered and have to be entered again.
	Again []string
	// Problems by field, as catalogue.Problem names fields; "" is the whole form.
	Problems map[string]i18n.Words
	// Refused is the refusal of the provider's own check; nil if there was none.
	Refused *Trouble
	// NeedsClient is set if the hub is registered at the service as a client.
	NeedsClient bool
	// CallbackBase is the hub's callback address without the service's name.
	CallbackBase string
	// Connections is how many connections a change concerns.
	Connections int
	// Check is the result of a check; nil if none was requested.
	Check *ServiceCheck
}

// ServiceCheck is whether a service would let people authorize.
type ServiceCheck struct {
	// Verdict is one of authflow's, or "incomplete" with what is missing.
	Verdict string
	Missing []i18n.Words
	Host    string
	Cause   *Trouble
	// InsteadOption and InsteadChoice name a choice with which the service accepts the client.
	InsteadOption, InsteadChoice provider.Text
}

// Callback is the redirect URI to register.
func (f ServiceForm) Callback() string {
	if f.RedirectURI != "" {
		return f.RedirectURI
	}
	return f.CallbackBase + f.Name
}

// Keeps reports whether a secret is stored already.
func (f ServiceForm) Keeps(field string) bool { return slices.Contains(f.Kept, field) }

// HasOther reports whether a second client secret is stored.
func (f ServiceForm) HasOther() bool { return f.Keeps("other_client_secret") }

// EndText is the end of a client secret as its field has it.
func EndText(end time.Time) string {
	end = end.UTC()
	switch {
	case end.IsZero():
		return ""
	case end.Equal(end.Truncate(24 * time.Hour)):
		return end.Format(time.DateOnly)
	}
	return end.Format(time.RFC3339)
}

// Anew reports whether a secret has to be entered again.
func (f ServiceForm) Anew(field string) bool { return slices.Contains(f.Again, field) }

// Extra are the chosen scopes that are not in the catalogue, to be typed in.
func (f ServiceForm) Extra() []string {
	return slices.DeleteFunc(slices.Clone(f.Scopes), func(s string) bool {
		return slices.ContainsFunc(f.Provider.Scopes, func(known provider.Scope) bool { return known.Name == s })
	})
}

// DefaultScopes are ticked when a service is added.
func DefaultScopes(d provider.Description) []string {
	var names []string
	for _, s := range d.Scopes {
		if s.Default {
			names = append(names, s.Name)
		}
	}
	return names
}

// DefaultOptions are filled in when a service is added.
func DefaultOptions(d provider.Description) map[string]string {
	values := map[string]string{}
	for _, o := range d.Options.Options {
		if o.Default != nil && !o.Secret {
			values[o.Name] = OptionText(o.Default)
		}
	}
	return values
}

// Problems are what is wrong with fields, in both languages.
type Problems = map[string]i18n.Words
