package providertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// maxSteps is more than any hub grants, so that a check is not held up by what is asked for.
const maxSteps = 1000

// cancelTimeout is how long an operation may take to return once its context has
// ended. It only bounds a test that fails.
const cancelTimeout = 10 * time.Second

func checkCancellation(ctx context.Context, s *suite) error {
	var problems []error
	for _, op := range s.operations() {
		if s.silent(ctx, op) {
			continue
		}
		if err := cancelled(ctx, func(ctx context.Context, asked chan<- struct{}) error {
			_, err := op.run(ctx, &script{answer: func(ctx context.Context, _ int, _ *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
				asked <- struct{}{}
				<-ctx.Done()
				return nil, ctx.Err()
			}})
			return err
		}); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", op.name, err))
		}
	}
	if s.config.Provider != nil {
		problems = append(problems, s.provideCancelled(ctx))
	}
	return errors.Join(problems...)
}

// silent reports whether an operation asks the service nothing, which a static key alone
// may.
func (s *suite) silent(ctx context.Context, op operation) bool {
	if op.grant != provider.GrantStatic {
		return false
	}
	relay := s.good(op)
	_, _ = op.run(ctx, relay) // other checks judge how it ends
	return len(relay.seen()) == 0
}

// provideCancelled calls the provider directly, because the hub's end of a stream returns
// whatever the plugin does.
func (s *suite) provideCancelled(ctx context.Context) error {
	call, served := s.call(), provider.GrantsOf(s.config.Provider)
	direct := map[string]func(context.Context, provider.Call) error{}
	if p, ok := s.config.Provider.(provider.AuthorizationCodeGrant); ok && slices.Contains(served, provider.GrantAuthorizationCode) {
		direct["exchange"] = func(ctx context.Context, call provider.Call) error {
			req := s.exchangeRequest(codeSecret)
			req.Call = call
			_, err := p.Exchange(ctx, req)
			return err
		}
	}
	if p, ok := s.config.Provider.(provider.Refresher); ok && slices.Contains(served, provider.GrantRefresh) {
		direct["refresh"] = func(ctx context.Context, call provider.Call) error {
			_, err := p.Refresh(ctx, &provider.RefreshRequest{Call: call, Current: s.current})
			return err
		}
	}
	for name, run := range direct {
		err := cancelled(ctx, func(ctx context.Context, asked chan<- struct{}) error {
			call.HTTP, call.Keys = &http.Client{Transport: blocked(asked)}, made{}
			return run(ctx, call)
		})
		if err != nil {
			return fmt.Errorf("the provider's own %s: %w", name, err)
		}
	}
	return nil
}

// made signs for a provider that is called without a plugin around it.
type made struct{}

// Sign implements provider.Signer.
func (made) Sign(context.Context, provider.SignRequest) (string, error) { return signature, nil }

// blocked is a transport that answers when the request's context ends.
type blocked chan<- struct{}

// RoundTrip implements http.RoundTripper.
func (b blocked) RoundTrip(req *http.Request) (*http.Response, error) {
	b <- struct{}{}
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// cancelled runs an operation, ends its context once it has made its first request, and
// requires an error.
func cancelled(ctx context.Context, run func(ctx context.Context, asked chan<- struct{}) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	asked, returned := make(chan struct{}, maxSteps+1), make(chan error, 1)
	go func() { returned <- run(ctx, asked) }()
	select {
	case <-asked:
	case err := <-returned:
		return fmt.Errorf("it returned without a request: %s", outcome(nil, err))
	}
	cancel()
	select {
	case err := <-returned:
		if err == nil || provider.KindOf(err) == provider.ReauthorizationRequired {
			return fmt.Errorf("it gave %s", outcome(nil, err))
		}
		return nil
	case <-time.After(cancelTimeout):
		return errors.New("it does not return; pass the operation's ctx on to every request")
	}
}

func checkReplay(ctx context.Context, s *suite) error {
	second, stop, err := serve(s.config, s.logs) // a new process, as after a crash
	if err != nil {
		return err
	}
	defer stop()
	var problems []error
	again := s.replayed(second)
	for i, op := range s.replayed(s.client) {
		first := s.good(op)
		want, wantErr := op.run(ctx, first)
		journal := &script{answer: func(_ context.Context, step int, _ *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
			if step >= len(first.replies) {
				return nil, errors.New("a request beyond the journal would be sent")
			}
			return first.replies[step], nil
		}}
		got, gotErr := again[i].run(ctx, journal)
		if outcome(want, wantErr) != outcome(got, gotErr) || !reflect.DeepEqual(want, got) {
			problems = append(problems, fmt.Errorf("%s: the results differ: %s, then %s", op.name, outcome(want, wantErr), outcome(got, gotErr)))
		}
		if err := cmp.Or(sameSignatures(first.signed, journal.signed), sameRequests(first.seen(), journal.seen())); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", op.name, err))
		}
	}
	return errors.Join(problems...)
}

// sameSignatures requires that the same was to be signed: what differs in a signature's
// claims is named better here than by the request that carries it.
func sameSignatures(first, second []*providerplugin.SignRequest) error {
	for i, a := range first[:min(len(first), len(second))] {
		if difference := second[i].Difference(a); difference != "" {
			return fmt.Errorf("signature %d differs when it is made again: %s; use Call.Now instead of the clock, and nothing random", i, difference)
		}
	}
	if len(first) != len(second) {
		return fmt.Errorf("%d signatures were asked for, then %d", len(first), len(second))
	}
	return nil
}

func sameRequests(first, second []*providerplugin.HTTPRequest) error {
	for i, a := range first[:min(len(first), len(second))] {
		if difference := second[i].Difference(a); difference != "" {
			return fmt.Errorf("request %d differs when it is made again (%s): %s; use Call.Now instead of the clock, and nothing random", i, describeRequest(a), difference)
		}
	}
	if len(first) != len(second) {
		return fmt.Errorf("%d requests were made, then %d", len(first), len(second))
	}
	return nil
}

func checkConcurrency(ctx context.Context, s *suite) error {
	const side = 16
	problems := make([]error, 2*side)
	var all sync.WaitGroup
	for i := range side {
		code, old := fmt.Sprintf("code-of-%d-x", i), fmt.Sprintf("refresh-of-%d-x", i)
		fresh := fmt.Sprintf("access-of-%d-x", i)
		current := s.current
		current.RefreshToken, current.AccessToken = old, "old-"+fresh
		if s.serves(provider.GrantAuthorizationCode) {
			all.Go(func() { problems[2*i] = s.alone(ctx, s.exchange(s.client, s.exchangeRequest(code)), fresh) })
		}
		if s.serves(provider.GrantRefresh) {
			all.Go(func() { problems[2*i+1] = s.alone(ctx, s.refresh(s.client, current), fresh) })
		}
	}
	all.Wait()
	return errors.Join(problems...)
}

// alone runs one of many operations and requires its own token.
func (s *suite) alone(ctx context.Context, op operation, access string) error {
	relay := &script{answer: func(_ context.Context, _ int, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
		if !carries(req, op.once) {
			return s.well(req), nil
		}
		return s.tokenReply(access, strings.Replace(access, "access", "refresh", 1)), nil
	}}
	result, err := op.run(ctx, relay)
	token, _ := result.(*provider.Token)
	if err != nil || token == nil || token.AccessToken != access || relay.carrying(op.once) != 1 {
		return fmt.Errorf("%s: got %s that is not its own", op.name, outcome(result, err))
	}
	return nil
}
