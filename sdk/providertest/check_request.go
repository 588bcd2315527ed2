package providertest

import (
	"context"
	"errors"
	"fmt"

	"github.com/evergrant/evergrant/sdk/provider"
)

func checkOneRequest(ctx context.Context, s *suite) error {
	var problems []error
	for _, op := range s.tokenOperations() {
		relay := s.good(op)
		result, err := op.run(ctx, relay)
		token, _ := result.(*provider.Token)
		switch n := relay.carrying(op.once); {
		case err != nil:
			problems = append(problems, fmt.Errorf("%s: a good reply gave an error: %w", op.name, err))
		case n != 1:
			problems = append(problems, fmt.Errorf("%s: %d token requests were made, want 1", op.name, n))
		case token == nil || token.AccessToken != newAccess:
			problems = append(problems, fmt.Errorf("%s: the access token of the reply was not returned", op.name))
		}
	}
	return errors.Join(problems...)
}

func checkNoRetry(ctx context.Context, s *suite) error {
	return s.eachFault(ctx, func(op operation, f fault, relay *script, _ any, _ error) error {
		if n := relay.carrying(op.once); n != 1 {
			return fmt.Errorf("%d token requests were made, want 1", n)
		}
		return nil
	}, outages, malformed, []fault{wrongClient, deadGrant, redirectTo(307, "https://elsewhere.example/token")})
}

func checkOutage(ctx context.Context, s *suite) error {
	return s.eachFault(ctx, func(_ operation, _ fault, _ *script, result any, err error) error {
		return wantNot(provider.ReauthorizationRequired, result, err)
	}, outages)
}

func checkRetryAfter(ctx context.Context, s *suite) error {
	return s.eachFault(ctx, func(_ operation, _ fault, _ *script, _ any, err error) error {
		e, _ := errors.AsType[*provider.Error](err)
		if e == nil || e.Kind != provider.Transient || e.RetryAfter.Seconds() != 120 {
			return fmt.Errorf("got %s, want transient with Retry-After of 120 s", outcome(nil, err))
		}
		return nil
	}, []fault{rateLimit})
}

func checkMalformed(ctx context.Context, s *suite) error {
	return s.eachFault(ctx, func(_ operation, _ fault, _ *script, result any, err error) error {
		return wantNot(provider.ReauthorizationRequired, result, err)
	}, malformed)
}

func checkKinds(ctx context.Context, s *suite) error {
	want := func(kind provider.Kind) judge {
		return func(_ operation, _ fault, _ *script, result any, err error) error {
			if e, ok := errors.AsType[*provider.Error](err); !ok || e.Kind != kind {
				return fmt.Errorf("got %s, want %s", outcome(result, err), kind)
			}
			return nil
		}
	}
	return errors.Join(
		s.eachFault(ctx, want(provider.Blocked), []fault{wrongClient}),
		s.eachFault(ctx, want(provider.ReauthorizationRequired), []fault{deadGrant}),
	)
}

// judge returns what is wrong with an operation's result after a fault.
type judge func(op operation, f fault, relay *script, result any, err error) error

// eachFault runs every operation with a token request against every fault.
func (s *suite) eachFault(ctx context.Context, judge judge, faults ...[]fault) error {
	var problems []error
	for _, op := range s.tokenOperations() {
		for _, list := range faults {
			for _, f := range list {
				relay := s.faulty(op, f)
				result, err := op.run(ctx, relay)
				if wrong := judge(op, f, relay, result, err); wrong != nil {
					problems = append(problems, fmt.Errorf("%s met by %s: %w", op.name, f.name, wrong))
				}
			}
		}
	}
	return errors.Join(problems...)
}

// wantNot requires a *provider.Error of any kind but one.
func wantNot(kind provider.Kind, result any, err error) error {
	e, ok := errors.AsType[*provider.Error](err)
	if result != nil || !ok || e.Kind == kind {
		return fmt.Errorf("got %s, want a *provider.Error that is not %s", outcome(result, err), kind)
	}
	return nil
}

// outcome describes the result of an operation, without a secret.
func outcome(result any, err error) string {
	switch e, ok := errors.AsType[*provider.Error](err); {
	case ok:
		return e.Kind.String()
	case err != nil:
		return fmt.Sprintf("an error without a kind (%T: %v)", err, err)
	case result == nil:
		return "success"
	}
	return fmt.Sprintf("a %T", result)
}
