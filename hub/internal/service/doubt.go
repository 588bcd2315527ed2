package service

import (
	"maps"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Doubt is an option that stands at no although yes is its default, in a service that
// was stored while the web hub kept every yes/no option as no.
type Doubt struct {
	Option provider.Option
	// Stored is the value that is kept, Default the one that applies without a value.
	Stored, Default any
}

// Doubts are the options that an administrator has to look at; none once the question
// is answered. An option whose default is no is left out: its stored no may be either.
func (s Service) Doubts() []Doubt {
	if !s.Doubtful || s.Description == nil {
		return nil
	}
	var doubts []Doubt
	for _, o := range s.Description.Options.Options {
		if stored, there := s.Options[o.Name]; there && standsAtNo(o, stored) {
			doubts = append(doubts, Doubt{Option: o, Stored: stored, Default: o.Default})
		}
	}
	return doubts
}

// standsAtNo reports whether an option, or the yes/no option that it took the place
// of, is kept as no while its default is yes.
func standsAtNo(o provider.Option, stored any) bool {
	if o.Type == provider.OptionBoolean {
		return stored == false && o.Default == true
	}
	if o.Replaces == nil {
		return false
	}
	yes, no := o.Replaces.Values["true"], o.Replaces.Values["false"]
	return yes != "" && no != "" && yes != no && stored == no && o.Default == yes
}

// AsUsual is the service with every doubtful option at its default.
func (s Service) AsUsual() Service {
	usual := s
	usual.Options = maps.Clone(s.Options)
	for _, d := range s.Doubts() {
		usual.Options[d.Option.Name] = d.Default
	}
	return usual
}
