package i18n

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"sync"
	"time"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/language"
)

// The languages of the interface.
const (
	English = "en"
	Russian = "ru"
)

// Languages lists them; the first one is the fallback.
var Languages = []string{English, Russian}

// catalogues are the files area.language.toml: each area of the interface has its own.
//
//go:embed *.toml
var catalogues embed.FS

// bundle reads the catalogues once. They are compiled in and a test reads them,
// so an error is ours.
var bundle = sync.OnceValue(func() *goi18n.Bundle {
	b := goi18n.NewBundle(language.English)
	b.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	files, err := fs.Glob(catalogues, "*.toml")
	for _, file := range files {
		_, loadErr := b.LoadMessageFileFS(catalogues, file)
		err = errors.Join(err, loadErr)
	}
	if err != nil {
		panic("read the catalogues: " + err.Error())
	}
	return b
})

var matcher = language.NewMatcher([]language.Tag{language.English, language.Russian})

// Match picks a language: each wish in turn, a language's code or the value of
// an Accept-Language header, and English if none can be met.
func Match(wishes ...string) string {
	for _, wish := range wishes {
		tags, _, err := language.ParseAcceptLanguage(wish)
		if err != nil || len(tags) == 0 {
			continue
		}
		if _, i, confidence := matcher.Match(tags...); confidence != language.No {
			return Languages[i]
		}
	}
	return English
}

// Speaker says things in one language, at one time, in one time zone.
type Speaker struct {
	Lang string
	// Zone is where the reader's clock is.
	Zone *time.Location
	// Now is the time of the request: everything relative counts from it.
	Now       time.Time
	localizer *goi18n.Localizer
}

// NewSpeaker returns a Speaker; a nil zone is UTC.
func NewSpeaker(lang string, zone *time.Location, now time.Time) *Speaker {
	if zone == nil {
		zone = time.UTC
	}
	return &Speaker{Lang: lang, Zone: zone, Now: now, localizer: goi18n.NewLocalizer(bundle(), lang)}
}

type contextKey struct{}

// With puts a Speaker into a context, for the components that are rendered in it.
func With(ctx context.Context, s *Speaker) context.Context {
	return context.WithValue(ctx, contextKey{}, s)
}

// From returns the context's Speaker, an English one without any.
func From(ctx context.Context) *Speaker {
	if s, ok := ctx.Value(contextKey{}).(*Speaker); ok {
		return s
	}
	return NewSpeaker(English, nil, time.Now())
}

// Lang is the language of the context.
func Lang(ctx context.Context) string { return From(ctx).Lang }

// T says the sentence of a key. args are pairs of a placeholder's name and value.
func T(ctx context.Context, key string, args ...any) string { return From(ctx).Say(key, args...) }

// N says the sentence of a key for a number, in the plural form that it needs;
// the placeholder .N is the number.
func N(ctx context.Context, key string, n int, args ...any) string {
	return From(ctx).Count(key, n, args...)
}

// Text is a text in the context's language: a provider's, or Words of the hub.
func Text(ctx context.Context, t interface{ In(lang string) string }) string {
	return t.In(Lang(ctx))
}

// Say is T.
func (s *Speaker) Say(key string, args ...any) string {
	return s.say(&goi18n.LocalizeConfig{MessageID: key, TemplateData: dataOf(args)})
}

// Count is N.
func (s *Speaker) Count(key string, n int, args ...any) string {
	data := dataOf(args)
	data["N"] = n
	return s.say(&goi18n.LocalizeConfig{MessageID: key, TemplateData: data, PluralCount: n})
}

func (s *Speaker) say(c *goi18n.LocalizeConfig) string {
	said, err := s.localizer.Localize(c)
	if err != nil && said == "" {
		return c.MessageID
	}
	return said
}

func dataOf(args []any) map[string]any {
	data := make(map[string]any, len(args)/2+1)
	for i := 0; i+1 < len(args); i += 2 {
		if name, ok := args[i].(string); ok {
			data[name] = args[i+1]
		}
	}
	return data
}
