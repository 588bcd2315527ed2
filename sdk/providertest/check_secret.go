package providertest

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"maps"
	"net/url"
	"strings"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/sdk/provider"
)

func checkErrorsAreClean(ctx context.Context, s *suite) error {
	var problems []error
	for _, op := range s.operations() {
		for _, status := range []int{200, 400, 401, 403, 500} {
			_, err := op.run(ctx, s.faulty(op, echo(status)))
			if leak := s.leak(err); leak != "" {
				problems = append(problems, fmt.Errorf("%s: the error about an echoing reply with status %d holds %s…", op.name, status, leak))
			}
		}
		for _, f := range outages {
			_, err := op.run(ctx, s.faulty(op, f))
			if leak := s.leak(err); leak != "" {
				problems = append(problems, fmt.Errorf("%s: the error about %s holds %s…", op.name, f.name, leak))
			}
		}
	}
	return errors.Join(problems...)
}

// leak names the secret that an error holds by its first letters.
func (s *suite) leak(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	if e, ok := errors.AsType[*provider.Error](err); ok {
		text = strings.Join([]string{text, e.Message, e.Code, e.Option, e.Remedy.EN, e.Remedy.RU}, " ")
	}
	secret := holdsSecret(text, s.secrets())
	return secret[:min(len(secret), 14)]
}

func checkLogsAreClean(ctx context.Context, s *suite) error {
	defer captureLogs(s.logs)()
	for _, op := range s.operations() {
		_, _ = op.run(ctx, s.good(op))
		for _, f := range []fault{echo(200), echo(400), echo(500), malformed[2], outages[0]} {
			_, _ = op.run(ctx, s.faulty(op, f))
		}
	}
	if secret := holdsSecret(s.logs.String(), s.secrets()); secret != "" {
		return fmt.Errorf("a log line holds %s…", secret[:min(len(secret), 14)])
	}
	return nil
}

// captureLogs turns the process's loggers into logs, for providers that run
// inside the test, and returns what turns them back.
func captureLogs(logs *buffer) (restore func()) {
	oldSlog, oldHclog, oldWriter, oldFlags := slog.Default(), hclog.L(), log.Writer(), log.Flags()
	slog.SetDefault(slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})))
	hclog.SetDefault(hclog.New(&hclog.LoggerOptions{Output: logs, Level: hclog.Trace}))
	log.SetOutput(logs)
	return func() {
		slog.SetDefault(oldSlog)
		hclog.SetDefault(oldHclog)
		log.SetOutput(oldWriter)
		log.SetFlags(oldFlags)
	}
}

func checkHostUse(ctx context.Context, s *suite) error {
	var problems []error
	for _, op := range s.operations() {
		good := s.good(op)
		if _, err := op.run(ctx, good); err != nil && op.token {
			problems = append(problems, fmt.Errorf("%s: %w", op.name, err))
		}
		problems = append(problems, s.undeclared(op.name, good))
		for _, status := range []int{301, 302, 307, 308} {
			led := s.faulty(op, redirectTo(status, "https://elsewhere.example/take?all=1"))
			_, _ = op.run(ctx, led)
			problems = append(problems, s.undeclared(op.name+" answered by a redirect", led))
		}
	}
	return errors.Join(problems...)
}

// undeclared finds requests that the declared hosts do not allow.
func (s *suite) undeclared(what string, relay *script) error {
	var problems []error
	for _, req := range relay.seen() {
		u, err := url.Parse(req.URL)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: a request has no readable address", what))
			continue
		}
		host, ok := provider.MatchHost(s.prepared.Hosts, s.service, u)
		switch {
		case !ok:
			problems = append(problems, fmt.Errorf("%s: %s goes to a host that is not declared", what, describeRequest(req)))
		case !host.ClientSecret && carries(req, []string{s.service.ClientSecret}):
			problems = append(problems, fmt.Errorf("%s: %s carries client_secret to a host that may not see it", what, describeRequest(req)))
		}
	}
	return errors.Join(problems...)
}

// evil is what a hostile browser or portal writes into a parameter.
var evil = []string{"elsewhere.example", "https://elsewhere.example/oauth/token/", "elsewhere.example#@", "@elsewhere.example/"}

func checkHostileCallback(ctx context.Context, s *suite) error {
	var problems []error
	judge := func(what string, op operation) {
		relay := s.good(op)
		_, err := op.run(ctx, relay)
		problems = append(problems, s.undeclared(what, relay))
		if leak := s.leak(err); leak != "" {
			problems = append(problems, fmt.Errorf("%s: the error holds %s…", what, leak))
		}
	}
	for name := range s.config.Callback {
		for _, value := range evil {
			if !s.serves(provider.GrantAuthorizationCode) {
				continue
			}
			req := s.exchangeRequest(codeSecret)
			req.Params.Set(name, value)
			judge(fmt.Sprintf("exchange with %s=%s", name, value), s.exchange(s.client, req))
		}
	}
	for name := range s.current.Extra {
		for _, value := range evil {
			if !s.serves(provider.GrantRefresh) {
				continue
			}
			current := s.current
			current.Extra = maps.Clone(s.current.Extra)
			current.Extra[name] = value
			judge(fmt.Sprintf("refresh of a token with %s=%s", name, value), s.refresh(s.client, current))
		}
	}
	return errors.Join(problems...)
}
