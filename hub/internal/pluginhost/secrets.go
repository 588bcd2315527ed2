package pluginhost

import (
	"context"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

const (
	// maxHidden bounds the secrets of registrations that are remembered for one plugin,
	// and those of single calls, the latest ones.
	maxHidden = 512
	// shortestHidden keeps a secret of a few letters from blanking ordinary words.
	shortestHidden = 4
)

type (
	secretsKey struct{}
	tokensKey  struct{}
)

// WithSecrets names the secrets that the calls of Run within ctx give to a plugin and
// that last, as those of a registration: they are blanked in all that it writes,
// whatever they look like.
func WithSecrets(ctx context.Context, secrets ...string) context.Context {
	return context.WithValue(ctx, secretsKey{}, secrets)
}

// WithTokens names secrets that the calls of Run within ctx give to a plugin for this
// once, tokens and codes. They are blanked as those of WithSecrets are.
func WithTokens(ctx context.Context, tokens ...string) context.Context {
	return context.WithValue(ctx, tokensKey{}, tokens)
}

// shortestInErrors is the least length of a secret that is removed from errors, which
// people read: a shorter one may be an ordinary word.
const shortestInErrors = 8

// withoutSecretsOf removes the secrets of a call from the text of its error: plugins must
// not put them there, but may.
func withoutSecretsOf(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	blank := func(text string) string {
		for _, key := range []any{secretsKey{}, tokensKey{}} {
			secrets, _ := ctx.Value(key).([]string)
			for _, secret := range secrets {
				if len(secret) < shortestInErrors || text == "" {
					continue
				}
				for _, form := range formsOf(secret) {
					text = strings.ReplaceAll(text, form, redacted)
				}
			}
		}
		return text
	}
	switch e := err.(type) { //nolint:errorlint // what the plugin's client returns is not wrapped
	case *provider.Error:
		clean := *e
		clean.Code, clean.Message, clean.Remedy = blank(e.Code), blank(e.Message), provider.Text{EN: blank(e.Remedy.EN), RU: blank(e.Remedy.RU)}
		if clean.Code != e.Code || clean.Message != e.Message || clean.Remedy != e.Remedy {
			clean.Err = nil
			return &clean
		}
	case *providerplugin.PluginError:
		clean := *e
		clean.Message = blank(e.Message)
		return &clean
	}
	return err
}

// hidden are the secrets of one plugin, in each form in which they are commonly
// written.
type hidden struct {
	lasting, passing []*secret
	// replacer takes the forms of lasting out; nil has to be made again.
	replacer *strings.Replacer
}

// secret is one with its forms, the longest first. They are made when a line has to be
// searched for them: most plugins write nothing, and tokens come with every call.
type secret struct {
	value string
	known []string
}

func (s *secret) forms() []string {
	if s.known == nil {
		s.known = formsOf(s.value)
	}
	return s.known
}

// hideSecretsOf registers the secrets of a call before the plugin gets them.
func (o *output) hideSecretsOf(ctx context.Context) {
	lasting, _ := ctx.Value(secretsKey{}).([]string)
	passing, _ := ctx.Value(tokensKey{}).([]string)
	o.mu.Lock()
	defer o.mu.Unlock()
	var changed bool
	if o.hidden.lasting, changed = remember(o.hidden.lasting, lasting); changed {
		o.hidden.replacer = nil
	}
	o.hidden.passing, _ = remember(o.hidden.passing, passing)
}

// Hide blanks further secrets of a call of Run while it is in progress; ctx is the
// context of the call.
func Hide(ctx context.Context, secrets ...string) {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok || len(secrets) == 0 {
		return
	}
	o := c.instance.runner.output
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hidden.passing, _ = remember(o.hidden.passing, secrets)
}

func remember(known []*secret, values []string) (all []*secret, changed bool) {
	for _, value := range values {
		if len(value) < shortestHidden || slices.ContainsFunc(known, func(s *secret) bool { return s.value == value }) {
			continue
		}
		known, changed = append(known, &secret{value: value}), true
	}
	if more := len(known) - maxHidden; more > 0 {
		known = slices.Delete(known, 0, more)
	}
	return known, changed
}

// blank takes the secrets out of a text.
func (h *hidden) blank(text string) string {
	if len(h.lasting) > 0 {
		if h.replacer == nil {
			h.replacer = replacerOf(h.lasting)
		}
		text = h.replacer.Replace(text)
	}
	for _, s := range h.passing {
		for _, form := range s.forms() {
			text = strings.ReplaceAll(text, form, redacted)
		}
	}
	return text
}

func replacerOf(secrets []*secret) *strings.Replacer {
	var forms []string
	for _, s := range secrets {
		forms = append(forms, s.forms()...)
	}
	slices.SortStableFunc(forms, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(forms))
	for _, form := range forms {
		pairs = append(pairs, form, redacted)
	}
	return strings.NewReplacer(pairs...)
}

// blankStart takes the rest of a secret out whose beginning ended the line before.
func (h *hidden) blankStart(text, rest string) string {
	if rest == "" {
		return text
	}
	if after, found := strings.CutPrefix(text, rest); found {
		return redacted + after
	}
	return text
}

// blankEnd removes the beginning of a secret from the end of a line, which continues in
// the next one or was cut off, and returns the rest that the next line may begin with.
func (h *hidden) blankEnd(text string) (blanked, rest string) {
	longest, form := 0, ""
	for _, secrets := range [][]*secret{h.lasting, h.passing} {
		for _, s := range secrets {
			for _, f := range s.forms() {
				if n := overlap(text, f); n > longest {
					longest, form = n, f
				}
			}
		}
	}
	switch {
	case longest == 0:
		return text, ""
	case longest < shortestHidden: // an ordinary word may have this ending
		return text, form[longest:]
	}
	return text[:len(text)-longest] + redacted, form[longest:]
}

// overlap is how many bytes at the end of a text are a beginning of form, not the whole
// of it.
func overlap(text, form string) int {
	for end := text[max(0, len(text)-len(form)+1):]; end != ""; end = end[1:] {
		at := strings.IndexByte(end, form[0])
		if at < 0 {
			return 0
		}
		if end = end[at:]; strings.HasPrefix(form, end) {
			return len(end)
		}
	}
	return 0
}
