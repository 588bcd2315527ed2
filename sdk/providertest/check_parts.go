package providertest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/evergrant/evergrant/sdk/provider"
)

// checkParts requires that parts are declared, come of authorizations alone, and are renewed
// one by one.
func checkParts(ctx context.Context, s *suite) error {
	var problems []error
	var came []string
	for _, op := range s.tokenOperations() {
		result, err := op.run(ctx, s.good(op))
		token, _ := result.(*provider.Token)
		if err != nil || token == nil {
			continue // one-request reports it
		}
		authorizes := op.grant == provider.GrantAuthorizationCode || op.grant == provider.GrantDevice
		for _, p := range token.Parts {
			came = append(came, p.Part)
			switch declared := s.declaresPart(p.Part); {
			case !declared:
				problems = append(problems, fmt.Errorf("%s: the part %q is not in the description's Parts", op.name, p.Part))
			case !authorizes:
				problems = append(problems, fmt.Errorf("%s: it brings the part %q: only an authorization does, the hub keeps one token set of any other operation", op.name, p.Part))
			}
		}
	}
	for _, p := range s.prepared.Parts {
		if !slices.Contains(came, p.Name) {
			problems = append(problems, fmt.Errorf("no authorization brings the declared part %q: set TokenReply (token_reply) to a reply that has it", p.Name))
		}
		problems = append(problems, s.renewsPart(ctx, p.Name))
	}
	return errors.Join(problems...)
}

func (s *suite) declaresPart(name string) bool {
	return slices.ContainsFunc(s.prepared.Parts, func(p provider.Part) bool { return p.Name == name })
}

// renewsPart renews the token set of a part as the hub does.
func (s *suite) renewsPart(ctx context.Context, part string) error {
	if !s.serves(provider.GrantRefresh) {
		return nil
	}
	op := s.refresh(s.client, s.current)
	call := s.call()
	call.Connection = provider.Connection{Name: "providertest-" + part, Part: part}
	token, err := s.client.Refresh(ctx, s.good(op), s.name, &provider.RefreshRequest{Call: call, Current: s.current, RedirectURI: redirectURI})
	if err != nil || token.AccessToken != newAccess {
		return fmt.Errorf("refresh of the part %q: got %s instead of its next token set", part, outcome(token, err))
	}
	return nil
}
