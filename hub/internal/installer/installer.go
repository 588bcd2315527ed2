package installer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// States of a package.
const (
	// Staged is stored, but not signed by a trusted key.
	Staged = "staged"
	// Verified is signed by a trusted key.
	Verified = "verified"
	// Approved may be enabled.
	Approved = "approved"
	// Quarantined did not work here and is not started again unless it is approved anew.
	Quarantined = "quarantined"
)

// Options of an Installer.
type Options struct {
	Store *store.Store
	// Dir is where packages are unpacked; it is made if it is missing.
	Dir    string
	Logger hclog.Logger
	// Limits are the most that the hub grants a plugin; zero is the contract's own.
	Limits providerplugin.Limits
}

// Installer keeps installed plugins. It is safe for concurrent use.
type Installer struct {
	store *store.Store
	dir   string
	log   hclog.Logger
	most  providerplugin.Limits

	// host is set by Attach; scanned is called after each scan.
	host    *pluginhost.Host
	scanned func()

	// syncing is held by the one Sync that runs.
	syncing sync.Mutex

	mu        sync.Mutex
	installed pluginhost.Installed
	// mark is what Sync last saw.
	mark string
}

// New returns an Installer, which is empty until Sync. Incomplete files of a hub that was
// killed are removed from its folder.
func New(o Options) (*Installer, error) {
	i := &Installer{store: o.Store, dir: o.Dir, log: o.Logger, most: o.Limits, scanned: func() {}}
	// A plugin of another user is shown its package by the hub; it comes by no path here.
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of installed plugins: %w", err)
	}
	halves, err := filepath.Glob(filepath.Join(o.Dir, ".unpacking-*"))
	for _, half := range halves {
		err = errors.Join(err, os.RemoveAll(half))
	}
	if err != nil {
		return nil, fmt.Errorf("clear the folder of installed plugins: %w", err)
	}
	return i, nil
}

// Attach ties the host that runs what is installed. scanned is called after it has
// taken up a change.
func (i *Installer) Attach(host *pluginhost.Host, scanned func()) { i.host, i.scanned = host, scanned }

// Installed is what the host is to run, for pluginhost.Options.
func (i *Installer) Installed() pluginhost.Installed {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.installed
}

// RefusedError says why an act is not carried out.
type RefusedError struct {
	// Code is for programs, Message for people.
	Code, Message string
	// With is a value that repeating the act needs to be carried out: the package's sum.
	With string
}

// Error implements error.
func (e *RefusedError) Error() string { return e.Message }

// Refusal marks it for the audit record; a plugin that does not work is a failure.
func (e *RefusedError) Refusal() bool { return e.Code != CodeFailed }

// Codes of a RefusedError.
const (
	CodePackage   = "package_refused"
	CodeState     = "wrong_state"
	CodeUnsigned  = "not_verified"
	CodeDowngrade = "downgrade"
	CodePinned    = "pinned"
	CodeInUse     = "in_use"
	CodeNoVersion = "no_previous_version"
	CodeFailed    = "plugin_failed"
	CodeLosses    = "services_lose"
	CodePublisher = "publisher_key"
)

func refuse(code, format string, args ...any) *RefusedError {
	return &RefusedError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// short is a sum as people read it.
func short(sum string) string { return strings.ToLower(sum[:min(12, len(sum))]) }
