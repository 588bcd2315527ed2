package authflow

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// What a service answers decides how often it is asked from then on: slow_down adds to the
// interval as it is, however it came about, and nothing shortens it.
func TestWhatAnswersMakeOfTheInterval(t *testing.T) {
	t.Parallel()
	every := 5 * time.Second
	for i, step := range []struct {
		cause provider.Error
		every time.Duration
	}{
		{provider.Error{Kind: provider.Transient, Code: codePending}, 5 * time.Second},
		{provider.Error{Kind: provider.Transient, Code: codeSlowDown}, 10 * time.Second},
		{provider.Error{Kind: provider.Transient, Code: codePending}, 10 * time.Second},
		{provider.Error{Kind: provider.Transient, Code: codeSlowDown, RetryAfter: time.Second}, 15 * time.Second},
		{provider.Error{Kind: provider.Transient, HTTPStatus: 503}, 30 * time.Second},
		{provider.Error{Kind: provider.Transient, Code: codeSlowDown}, 35 * time.Second},
		{provider.Error{Kind: provider.Transient, Code: codePending}, 35 * time.Second},
		{provider.Error{Kind: provider.Internal}, time.Minute},
		{provider.Error{Kind: provider.Transient, Code: codeSlowDown}, 65 * time.Second},
		{provider.Error{Kind: provider.Transient, HTTPStatus: 503}, 65 * time.Second},
		{provider.Error{Kind: provider.Transient, Code: codePending}, 65 * time.Second},
	} {
		next, ended := waits(&step.cause, every)
		if ended || next != step.every {
			t.Errorf("after answer %d: every %s, ended %t; want %s", i, next, ended, step.every)
		}
		every = next
	}
}
