package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// maxExtra bounds the extra fields of a token set as JSON, in bytes: they are kept,
// sealed and handed out with every pull.
const maxExtra = 64 << 10

// checkLifetime compares the life that the reply gives with what the provider returns.
func checkLifetime(ctx context.Context, s *suite) error {
	want := s.saidLife()
	if want <= 0 {
		return nil
	}
	return s.eachToken(ctx, func(token *provider.Token) error {
		switch {
		case token.ExpiresIn == nil || *token.ExpiresIn == 0:
			return fmt.Errorf("the reply gives a life of %s, the token has none: hand it on", want)
		case *token.ExpiresIn != want:
			return fmt.Errorf("the reply gives a life of %s, the token has %s: expires_in is in seconds; set Life (life_seconds) if the service means otherwise", want, *token.ExpiresIn)
		}
		return nil
	})
}

// saidLife is the lifetime in the token reply; zero if it has none as a whole number.
func (s *suite) saidLife() time.Duration {
	if s.config.Life != 0 {
		return s.config.Life
	}
	var said struct {
		ExpiresIn *int64 `json:"expires_in"`
	}
	if json.Unmarshal([]byte(s.config.TokenReply), &said) != nil || said.ExpiresIn == nil {
		return 0
	}
	return time.Duration(*said.ExpiresIn) * time.Second
}

func checkSmallExtra(ctx context.Context, s *suite) error {
	return s.eachToken(ctx, func(token *provider.Token) error {
		data, err := json.Marshal(token.Extra)
		if err == nil && len(data) > maxExtra {
			err = fmt.Errorf("the extra fields of the token set have %d bytes, at most %d are kept: return what processes need", len(data), maxExtra)
		}
		return err
	})
}

// eachToken judges the token of every operation that is answered well.
func (s *suite) eachToken(ctx context.Context, judge func(*provider.Token) error) error {
	var problems []error
	for _, op := range s.tokenOperations() {
		result, err := op.run(ctx, s.good(op))
		token, _ := result.(*provider.Token)
		if err != nil || token == nil {
			continue // one-request reports it
		}
		if err := judge(token); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", op.name, err))
		}
	}
	return errors.Join(problems...)
}

// spilled returns a secret that a built plugin wrote in any of the checks, once it has
// exited: its last output may follow the check that caused it.
func (s *suite) spilled() string {
	if s.config.Binary == "" {
		return ""
	}
	secret := holdsSecret(s.logs.String(), s.secrets())
	if secret == "" {
		return ""
	}
	return fmt.Sprintf("standard error holds %s…", secret[:min(len(secret), 14)])
}
