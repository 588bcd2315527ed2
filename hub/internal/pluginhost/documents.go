package pluginhost

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Documents are what a plugin that is made of documents gets from the hub. They belong to
// its content as its program does: others take over as a new version takes over.
type Documents struct {
	list []providerplugin.Document
	sum  string
	// LossesAccepted is set if what services lose by this set was accepted.
	LossesAccepted bool
}

// NewDocuments returns a set. Each name is in the list once, in their order.
func NewDocuments(list []providerplugin.Document) Documents {
	if len(list) == 0 {
		return Documents{}
	}
	hash := sha256.New()
	for _, document := range list {
		_, _ = fmt.Fprintln(hash, document.Name, document.Sum)
	}
	return Documents{list: list, sum: hex.EncodeToString(hash.Sum(nil))}
}

// Sum names the set; "" is an empty one.
func (d Documents) Sum() string { return d.sum }

// Sums are those of the documents, by name.
func (d Documents) Sums() map[string]string {
	sums := make(map[string]string, len(d.list))
	for _, document := range d.list {
		sums[document.Name] = document.Sum
	}
	return sums
}

// document is the one of a name.
func (d Documents) document(name string) (providerplugin.Document, bool) {
	at := slices.IndexFunc(d.list, func(x providerplugin.Document) bool { return x.Name == name })
	if at < 0 {
		return providerplugin.Document{}, false
	}
	return d.list[at], true
}

// contentSum is the sum of a program with its documents: that of the program without any.
func contentSum(program, documents string) string {
	if documents == "" || program == "" {
		return program
	}
	sum := sha256.Sum256([]byte(program + " " + documents))
	return hex.EncodeToString(sum[:])
}

// sumOf is the sum of what makes a provider: the program, and its own document. A change of
// another document does not concern it.
func (c content) sumOf(providerName string) string {
	own, _ := c.source.Documents.document(providerName)
	return contentSum(c.program, own.Sum)
}

// versionOf is the version of what makes a provider: the plugin's, with its document's.
func (c content) versionOf(providerName string) string {
	own, handed := c.source.Documents.document(providerName)
	if !handed {
		return c.version
	}
	return c.version + "+" + own.Version
}

// madeOfDocuments reports whether what is in use is.
func (s *supervisor) madeOfDocuments() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.content.uses, usesFeature+providerplugin.FeatureDocuments)
}

// serveRest adds what the plugin serves and no other one does.
func (s *supervisor) serveRest(providers map[string]served) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conflict = ""
	for _, d := range s.content.descriptions {
		if _, taken := providers[d.Name]; !taken {
			providers[d.Name] = served{supervisor: s, description: d, sum: s.content.sumOf(d.Name)}
		}
	}
}

// ServedBy returns the plugin that serves a provider now; "" is none.
func (h *Host) ServedBy(providerName string) string {
	if s := h.supervisorOf(providerName); s != nil {
		return s.name
	}
	return ""
}

// load hands a plugin its documents; afterwards it has described itself with them.
func (in *instance) load(ctx context.Context) error {
	if len(in.source.Documents.list) == 0 {
		return nil
	}
	if !in.info.Documents {
		return defectf("it is not made of documents, and the hub has some for it: update the plugin")
	}
	problems, err := in.operations.Load(ctx, in.source.Documents.list)
	if err != nil {
		return fmt.Errorf("it did not take its documents: %w", err)
	}
	in.problems = problems
	return in.describe(ctx)
}

// DocumentsError is why a plugin does not serve documents that it was handed.
type DocumentsError struct {
	Problems []providerplugin.DocumentProblem
}

// Error implements error.
func (e *DocumentsError) Error() string {
	lines := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		lines = append(lines, fmt.Sprintf("%s, line %d: %s", p.Name, p.Line, p.Text.EN))
	}
	return strings.Join(lines, "; ")
}

// DocumentsInUse returns the set that a plugin has now, and why another one was not taken;
// "" if none was refused.
func (h *Host) DocumentsInUse(plugin string) (set Documents, refused string) {
	s := h.plugin(plugin)
	if s == nil {
		return Documents{}, ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.content.source.Documents, s.trial.refused
}

// Shipped returns the documents that a plugin has by itself. It starts the plugin if it
// does not run. Errors: ErrUnknownProvider, an *UnavailableError, those of the Client.
func (h *Host) Shipped(ctx context.Context, plugin string) ([]providerplugin.Document, error) {
	s := h.plugin(plugin)
	if s == nil {
		return nil, fmt.Errorf("%w: there is no plugin %q", ErrUnknownProvider, plugin)
	}
	in, err := s.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer s.release(in)
	asking, cancel := context.WithTimeout(ctx, h.opts.CallTimeout)
	defer cancel()
	return in.operations.Shipped(asking)
}

func (h *Host) plugin(name string) *supervisor {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.supervisors[name]
}

// TryDocuments starts a plugin with other documents beside the running one and checks
// whether it would be accepted. Nothing is changed. Errors: *DocumentsError, *LossError,
// what Options.Accept returned, or why it does not start.
func (h *Host) TryDocuments(ctx context.Context, plugin string, set Documents) error {
	s := h.plugin(plugin)
	if s == nil {
		return fmt.Errorf("%w: there is no plugin %q", ErrUnknownProvider, plugin)
	}
	source := s.wanted()
	source.Documents = set
	return h.Try(ctx, source)
}
