package definitions

import (
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/definition"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Plugin is the name of the plugin that serves definitions.
const Plugin = "declarative"

// draftPublisher is before the name of a draft's provider.
const draftPublisher = "draft"

// DraftProvider is the provider that the draft of a definition is served as: a name has one
// publisher at most, so that of the definition becomes draft-publisher.
func DraftProvider(name string) string {
	if provider.PublisherOf(name) != "" {
		return draftPublisher + "-" + name
	}
	return draftPublisher + "." + name
}

// isDraft reports whether a name is that of a draft's provider.
func isDraft(name string) bool {
	publisher := provider.PublisherOf(name)
	return publisher == draftPublisher || strings.HasPrefix(publisher, draftPublisher+"-")
}

// Options of Definitions.
type Options struct {
	Store *store.Store
	// Dir is the folder that is watched; "" is none.
	Dir    string
	Logger hclog.Logger
}

// Definitions keeps definitions. It is safe for concurrent use.
type Definitions struct {
	store  *store.Store
	log    hclog.Logger
	folder *Folder

	// host is set by Attach; scanned is called after each scan.
	host    *pluginhost.Host
	scanned func()

	// syncing is held by the one Sync that runs.
	syncing sync.Mutex

	mu  sync.Mutex
	set pluginhost.Documents
	// mark is what Sync last saw.
	mark string
	// shipped are the plugin's own documents, of the program shippedOf.
	shipped   []providerplugin.Document
	shippedOf string
	// read has the definitions of documents by their sum; bounded by versions that are looked at.
	read map[string]*definition.Definition
}

// New returns Definitions, which are empty until Load.
func New(o Options) *Definitions {
	return &Definitions{store: o.Store, log: o.Logger, folder: newFolder(o.Dir), scanned: func() {}, read: map[string]*definition.Definition{}}
}

// Attach ties the host that runs the plugin. scanned is called after it has taken up a
// change.
func (d *Definitions) Attach(host *pluginhost.Host, scanned func()) {
	d.host, d.scanned = host, scanned
}

// Folder is the watched one.
func (d *Definitions) Folder() *Folder { return d.folder }

// Documents is what the host hands a plugin, for pluginhost.Options.
func (d *Definitions) Documents(plugin string) pluginhost.Documents {
	if plugin != Plugin {
		return pluginhost.Documents{}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.set
}

// RefusedError says why an act is not carried out.
type RefusedError struct {
	// Code is for programs, Text for people.
	Code string
	Text provider.Text
	// Problems are those of a document.
	Problems definition.ParseErrors
}

// Error implements error.
func (e *RefusedError) Error() string {
	if len(e.Problems) > 0 {
		return e.Text.EN + " " + e.Problems.Error()
	}
	return e.Text.EN
}

// Refusal marks it for the audit record; a plugin that does not work is a failure.
func (e *RefusedError) Refusal() bool { return e.Code != CodeFailed }

// Codes of a RefusedError.
const (
	// CodeProblems is a document with problems.
	CodeProblems = "definition_problems"
	// CodeTaken is a name that another plugin serves.
	CodeTaken = "name_taken"
	// CodeInUse is something that services use.
	CodeInUse = "in_use"
	// CodeLosses is a version by which services lose something; agreeing to it carries it out.
	CodeLosses = "services_lose"
	// CodeNothing is a version or draft that there is not.
	CodeNothing = "no_version"
	// CodeFailed is a plugin that is missing or does not start.
	CodeFailed = "plugin_failed"
)

func refuse(code, en, ru string) *RefusedError {
	return &RefusedError{Code: code, Text: provider.Text{EN: en, RU: ru}}
}
