package pluginhost

import (
	"context"
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// actMadeOfDocuments is a plugin whose documents have one word.
func actMadeOfDocuments() {
	providerplugin.ServeWith(providerplugin.ServeConfig{Documents: &providerplugin.Documents{
		Shipped: []providerplugin.Document{worddoc("shipped", "plain")}, Provider: ofWord,
	}})
}

func worddoc(name, word string) providerplugin.Document {
	return providerplugin.Document{Name: name, Version: "of " + word, Sum: providerplugin.SumOf([]byte(word)), Text: []byte(word)}
}

// ofWord makes the provider of a document.
func ofWord(d providerplugin.Document) (provider.Provider, []providerplugin.DocumentProblem) {
	switch string(d.Text) {
	case "mistake":
		return nil, []providerplugin.DocumentProblem{{Name: d.Name, Line: 7, Text: provider.Text{EN: "Write a word.", RU: "Напишите слово."}}}
	case "panics":
		panic("this word")
	case "invalid":
		return testProvider{name: "no name"}, nil
	}
	return worded{testProvider{name: d.Name}, string(d.Text)}, nil
}

type worded struct {
	testProvider

	word string
}

// Describe implements provider.Provider.
func (w worded) Describe(context.Context) (*provider.Description, error) {
	d := describe(w.name)
	d.Title.EN = w.word
	return d, nil
}

// Refresh implements provider.Refresher.
func (w worded) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	if w.word == "crashes" {
		syscall.Exit(6)
	}
	return w.testProvider.Refresh(ctx, req)
}

// handed is a set that a test changes.
type handed struct {
	mu  sync.Mutex
	set Documents
}

func (s *handed) put(list ...providerplugin.Document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set = NewDocuments(list)
}

func (s *handed) get(plugin string) Documents {
	s.mu.Lock()
	defer s.mu.Unlock()
	if plugin != "documents" {
		return Documents{}
	}
	return s.set
}

func titleOf(h *Host, name string) string {
	d, _, _ := h.Description(name)
	return d.Title.EN
}

func scan(t *testing.T, h *Host) {
	t.Helper()
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestDocumentsOfTheHubAreServedBesideThoseThatAreShipped(t *testing.T) {
	set := &handed{}
	set.put(worddoc("acme", "one"), worddoc("broken", "mistake"), worddoc("invalid", "invalid"), worddoc("panics", "panics"))
	cache := &remembering{}
	h, _ := scanned(t, Options{Documents: set.get, Cache: cache}, "documents")
	for _, name := range []string{"acme", "shipped"} {
		works(t, h, name)
	}
	var said []string
	for _, p := range statusOf(t, h, "documents").Problems {
		said = append(said, p.Name)
		if p.Name == "broken" && (p.Line != 7 || p.Text.RU != "Напишите слово.") {
			t.Errorf("the problem is told as %+v", p)
		}
	}
	if strings.Join(said, " ") != "broken invalid panics" {
		t.Errorf("problems of %v", said)
	}
	if len(cache.saved) != 0 {
		t.Error("a set with problems was cached: they would not be told after a start")
	}
	shipped, err := h.Shipped(t.Context(), "documents")
	if err != nil || len(shipped) != 1 || string(shipped[0].Text) != "plain" {
		t.Errorf("shipped %+v: %v", shipped, err)
	}
	if h.Version("acme") == h.Version("shipped") || !strings.HasSuffix(h.Version("acme"), "+of one") {
		t.Errorf("an intent would be pinned to %q", h.Version("acme"))
	}
}

func TestAChangedDocumentTakesOverWhileAnOperationFinishes(t *testing.T) {
	set := &handed{}
	set.put(worddoc("acme", "one"), worddoc("beta", "same"))
	h, _ := scanned(t, Options{Documents: set.get}, "documents")
	_, acme, _ := h.Description("acme")
	_, beta, _ := h.Description("beta")
	_, shipped, _ := h.Description("shipped")

	asked, released, finished := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		finished <- refreshWith(t.Context(), h, "acme", "", func(context.Context) (*providerplugin.HTTPResponse, error) {
			close(asked)
			<-released
			return answer(t.Context())
		})
	}()
	<-asked
	old := statusOf(t, h, "documents").PID
	set.put(worddoc("acme", "two"), worddoc("beta", "same"), worddoc("shipped", "replaced"))
	scan(t, h)
	if titleOf(h, "acme") != "two" || titleOf(h, "beta") != "same" || titleOf(h, "shipped") != "replaced" {
		t.Errorf("described %q, %q, %q", titleOf(h, "acme"), titleOf(h, "beta"), titleOf(h, "shipped"))
	}
	works(t, h, "acme")
	if now := statusOf(t, h, "documents").PID; now == old || !alive(old) {
		t.Errorf("the process was %d and is %d", old, now)
	}
	close(released)
	if err := <-finished; err != nil {
		t.Errorf("what was in flight: %v", err)
	}
	waittest.Until(t, "the old process has gone", func() bool { return !alive(old) })
	_, acmeNow, _ := h.Description("acme")
	_, betaNow, _ := h.Description("beta")
	_, shippedNow, _ := h.Description("shipped")
	if acmeNow == acme || betaNow != beta || shippedNow == shipped {
		t.Error("an intent would not be pinned to its own document alone")
	}
	set.put(worddoc("beta", "same"))
	scan(t, h)
	if _, _, served := h.Description("acme"); served || titleOf(h, "shipped") != "plain" {
		t.Error("what was taken away is served")
	}
}

func TestASetByWhichServicesLoseIsNotTakenUnlessThatIsAccepted(t *testing.T) {
	set := &handed{}
	set.put(worddoc("acme", "one"))
	accept := func(_ string, ds []provider.Description) error {
		for _, d := range ds {
			if d.Title.EN == "less" {
				return &LossError{Losses: []string{"the service acme could not renew"}}
			}
		}
		return nil
	}
	var refused []string
	var mu sync.Mutex
	h, _ := scanned(t, Options{Documents: set.get, Accept: accept, DocumentsRefused: func(_, reason string) {
		mu.Lock()
		defer mu.Unlock()
		refused = append(refused, reason)
	}}, "documents")
	less := NewDocuments([]providerplugin.Document{worddoc("acme", "less")})
	if _, lost := errors.AsType[*LossError](h.TryDocuments(t.Context(), "documents", less)); !lost {
		t.Error("the try does not tell of losses")
	}
	wrong := NewDocuments([]providerplugin.Document{worddoc("acme", "mistake")})
	if _, problems := errors.AsType[*DocumentsError](h.TryDocuments(t.Context(), "documents", wrong)); !problems {
		t.Error("the try does not tell of problems")
	}
	set.put(worddoc("acme", "less"))
	scan(t, h)
	if in, said := h.DocumentsInUse("documents"); titleOf(h, "acme") != "one" || in.Sum() == less.Sum() || said == "" {
		t.Errorf("services lose something: %q, refused %q", titleOf(h, "acme"), said)
	}
	waittest.Until(t, "it is told", func() bool { mu.Lock(); defer mu.Unlock(); return len(refused) == 1 })
	scan(t, h)
	if titleOf(h, "acme") != "one" {
		t.Error("it was taken at another look")
	}
	set.mu.Lock()
	set.set = less
	set.set.LossesAccepted = true
	set.mu.Unlock()
	scan(t, h)
	if titleOf(h, "acme") != "less" {
		t.Error("what was accepted is not taken")
	}
}

func TestASetThatKeepsFailingIsGoneBackFrom(t *testing.T) {
	set := &handed{}
	set.put(worddoc("acme", "one"))
	h, _ := scanned(t, Options{Documents: set.get}, "documents")
	works(t, h, "acme")
	set.put(worddoc("acme", "crashes"))
	scan(t, h)
	waittest.Until(t, "it has gone back", func() bool {
		_ = refreshWith(WithOperation(t.Context(), "refresh"), h, "acme", "", answer)
		return titleOf(h, "acme") == "one"
	})
	works(t, h, "acme")
	scan(t, h)
	if titleOf(h, "acme") != "one" {
		t.Error("the next look takes it again")
	}
}

func TestAPluginTakesThePlaceOfADefinition(t *testing.T) {
	set := &handed{}
	set.put(worddoc("acme", "one"), worddoc("good", "one"))
	h, _ := scanned(t, Options{Documents: set.get}, "documents", "good")
	if by := h.ServedBy("good"); by != "good" || h.ServedBy("acme") != "documents" {
		t.Errorf("good is served by %s, acme by %s", by, h.ServedBy("acme"))
	}
	if s := statusOf(t, h, "documents"); s.State == StateFailed {
		t.Errorf("the other definitions went away: %s", s.LastError)
	}
}

func TestAPluginThatTakesNoDocumentsSaysSo(t *testing.T) {
	set := NewDocuments([]providerplugin.Document{worddoc("acme", "one")})
	h, _ := scanned(t, Options{Documents: func(string) Documents { return set }}, "good")
	if s := statusOf(t, h, "good"); !strings.Contains(s.LastError, "not made of documents") {
		t.Errorf("%s: %s", s.State, s.LastError)
	}
}
