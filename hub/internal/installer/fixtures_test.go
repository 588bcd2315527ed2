package installer_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aead.dev/minisign"
	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/plugins"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/hub/internal/pluginpack"
	"github.com/evergrant/evergrant/hub/internal/sandbox"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// tools are a plugin that serves a provider of its file's name (one whose name
// begins with crash does not start), and what makes packages of it.
var tools = sync.OnceValues(func() (t struct{ plugin, packer string }, err error) {
	if t.plugin, err = plugintest.Build("hub/internal/pluginhost/testdata/hostile"); err != nil {
		return t, err
	}
	t.packer, err = plugintest.Build("hub/internal/installer/testdata/packer", "hub/internal/pluginpack")
	return t, err
})

// author signs packages.
type author struct{ public, private string }

func newAuthor(t *testing.T) *author {
	t.Helper()
	public, private, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	publicText, err := public.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	privateText, err := private.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	return &author{public: string(publicText), private: string(privateText)}
}

var made sync.Map // packages by what they were made of

// packed is a package of the plugin, signed unless by is nil; its entry decides
// what it does.
func packed(t *testing.T, by *author, name, version, entry string, change ...func(*pluginpack.Manifest)) []byte {
	t.Helper()
	with, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	m := pluginpack.Manifest{
		Name: name, Version: version, OS: runtime.GOOS, Arch: runtime.GOARCH, Protocols: []int{1}, Entry: entry,
		Providers: []pluginpack.Provider{{Name: strings.TrimPrefix(entry, "evergrant-provider-"), Hosts: []string{"auth.example.com"}}},
	}
	for _, c := range change {
		c(&m)
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{with.plugin}
	if by != nil {
		args = append(args, by.private)
	}
	key := string(manifest) + fmt.Sprint(args)
	if data, ok := made.Load(key); ok {
		return data.([]byte)
	}
	packer := exec.Command(with.packer, args...)
	packer.Stdin = bytes.NewReader(manifest)
	packer.Stderr = os.Stderr
	data, err := packer.Output()
	if err != nil {
		t.Fatal(err)
	}
	made.Store(key, data)
	return data
}

// replica is a hub's part that installs plugins.
type replica struct {
	*installer.Installer
	acts  *plugins.Plugins
	host  *pluginhost.Host
	store *store.Store
	dir   string
}

// newReplica starts one on a database.
func newReplica(t *testing.T, st *store.Store) *replica {
	t.Helper()
	r := &replica{store: st, dir: filepath.Join(t.TempDir(), "installed")}
	log := hclog.NewNullLogger()
	var err error
	if r.Installer, err = installer.New(installer.Options{Store: st, Dir: r.dir, Logger: log}); err != nil {
		t.Fatal(err)
	}
	r.acts = plugins.New(plugins.Options{Installer: r.Installer, Recorder: act.NewRecorder(st, audit.New(st, log))})
	if err := r.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	runDir, err := os.MkdirTemp("", "eg") //nolint:usetesting // t.TempDir's path is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(runDir) })
	r.host, err = pluginhost.New(pluginhost.Options{
		Dir: t.TempDir(), RuntimeDir: runDir, Sandbox: sandbox.BestEffort, Installed: r.Installed, ReadyTimeout: 30 * time.Second, ConnectTimeout: 20 * time.Second,
		Accept: func(_ string, ds []provider.Description) error {
			if ds[0].Name == "unwanted" {
				return fmt.Errorf("it does not serve what services need")
			}
			if ds[0].Name == "poorer" {
				return &pluginhost.LossError{Losses: []string{"the service shop could not renew its connections any more (refresh)"}}
			}
			return nil
		},
		Rejected: func(plugin, sum, reason string) {
			if err := r.acts.Quarantine(context.Background(), plugin, sum, reason); err != nil {
				t.Error(err)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.host.Stop(context.Background()) })
	r.Attach(r.host, func() {})
	if err := r.host.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// install stages, approves and enables a package.
func (r *replica) install(t *testing.T, data []byte) (plugindb.Package, error) {
	t.Helper()
	p := r.stage(t, data)
	if _, err := r.Approve(t.Context(), p.Sum, p.Sum); err != nil {
		t.Fatal(err)
	}
	return p, r.Enable(t.Context(), p.Sum, installer.Consent{})
}

func (r *replica) stage(t *testing.T, data []byte) plugindb.Package {
	t.Helper()
	p, err := r.Stage(audit.With(t.Context(), audit.Actor{Kind: audit.KindPerson, Name: "anna"}), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// running is the package that a replica runs as acme.
func (r *replica) running() string {
	for _, p := range r.host.Plugins() {
		if p.Name == "acme" {
			return p.Package
		}
	}
	return ""
}

// acts are the audit records' acts and how they went, oldest first.
func acts(t *testing.T, st *store.Store) (list []string) {
	t.Helper()
	records, err := st.Audit.AuditRecords(t.Context(), auditdb.AuditFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range slices.Backward(records) {
		switch r.Outcome {
		case audit.Begun:
		case audit.Done:
			list = append(list, r.Act)
		default:
			list = append(list, r.Act+" "+r.Outcome)
		}
	}
	return list
}
