package api

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/sandbox"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
)

// Plugin is a plugin and its versions.
type Plugin struct {
	Name      string          `json:"name"`
	State     string          `json:"state" enum:"idle,starting,ready,backoff,failed,stopping,disabled,waiting" doc:"disabled was switched off; waiting has packages and none is enabled"`
	Version   string          `json:"version,omitempty" doc:"What the plugin says of itself"`
	Sum       string          `json:"sha256,omitempty" doc:"SHA-256 of the program"`
	Package   string          `json:"package,omitempty" doc:"SHA-256 of the package that runs; absent for a file in the folder of plugins"`
	Previous  string          `json:"previous,omitempty" doc:"The package that a rollback goes back to"`
	Pinned    bool            `json:"pinned,omitempty"`
	Providers []string        `json:"providers,omitempty"`
	Hosts     []string        `json:"hosts,omitempty" doc:"Patterns of the hosts that it may talk to"`
	PID       int             `json:"pid,omitempty"`
	Memory    int64           `json:"memory,omitempty" doc:"Bytes in memory now"`
	InFlight  int             `json:"in_flight"`
	Restarts  int             `json:"restarts"`
	StartedAt *time.Time      `json:"started_at,omitempty"`
	LastError string          `json:"last_error,omitempty"`
	LastWords []string        `json:"last_words,omitempty" doc:"What the process of last_error wrote last, at most 12 lines, oldest first, without known secrets"`
	Refused   string          `json:"refused,omitempty" doc:"Why a newer version is not used"`
	Outdated  []string        `json:"deprecated,omitempty" doc:"What it uses of the contract that a later release may be without: a field, a feature, or sdk before a version"`
	Sandbox   string          `json:"sandbox,omitempty" enum:"required,best-effort,off"`
	Layers    []sandbox.Layer `json:"layers,omitempty" doc:"The walls around its last process"`
	Packages  []PluginPackage `json:"packages,omitempty" doc:"Its versions, newest first"`
}

// PluginPackage is a version of a plugin.
type PluginPackage struct {
	Sum         string     `json:"sha256" doc:"SHA-256 of its manifest, which names every file"`
	Name        string     `json:"name"`
	Version     string     `json:"version"`
	State       string     `json:"state" enum:"staged,verified,approved,quarantined"`
	Problem     string     `json:"problem,omitempty" doc:"Why it is not verified, or in quarantine"`
	Signer      string     `json:"signer,omitempty" doc:"Id of the key that signed it"`
	SignerTitle string     `json:"signer_title,omitempty"`
	Providers   []string   `json:"providers,omitempty"`
	Hosts       []string   `json:"hosts,omitempty"`
	Conformance string     `json:"conformance,omitempty" enum:"none,failed,unrenewed,whole" doc:"What the conformance suite has shown for this very program; unrenewed: a renewal was not proven"`
	Size        int64      `json:"size"`
	StagedAt    time.Time  `json:"staged_at"`
	StagedBy    string     `json:"staged_by,omitempty"`
	ApprovedAt  *time.Time `json:"approved_at,omitempty"`
	ApprovedBy  string     `json:"approved_by,omitempty"`
}

// PluginKey is a key whose signatures count.
type PluginKey struct {
	ID        string     `json:"id"`
	Title     string     `json:"title"`
	Public    string     `json:"public" doc:"The public key in minisign's form, one line"`
	TrustedAt time.Time  `json:"trusted_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

// SumInput is a package in the path.
type SumInput struct {
	Sum string `path:"sha256" pattern:"^[0-9a-f]{64}$"`
}

func (a *API) registerPlugins() {
	const tag = "Plugins"
	huma.Register(a.huma, operation("list-plugins", http.MethodGet, "/api/v1/plugins", "List plugins and their versions", tag), a.listPlugins)
	stage := operation("stage-plugin", http.MethodPost, "/api/v1/plugin-packages", "Hand in a package (.evergrant-plugin)", tag, 413, 422)
	stage.DefaultStatus, stage.MaxBodyBytes = http.StatusCreated, installer.MaxPackage
	huma.Register(a.huma, stage, a.stagePlugin)
	huma.Register(a.huma, operation("approve-plugin", http.MethodPost, "/api/v1/plugin-packages/{sha256}/approve", "Let a package be enabled and talk to its hosts", tag, 404, 409, 422), a.approvePlugin)
	huma.Register(a.huma, operation("enable-plugin", http.MethodPost, "/api/v1/plugin-packages/{sha256}/enable", "Run an approved package under its name", tag, 404, 409, 422), a.enablePlugin)
	huma.Register(a.huma, operation("discard-plugin", http.MethodDelete, "/api/v1/plugin-packages/{sha256}", "Remove a package that does not run", tag, 404, 409), a.discardPlugin)
	for act, do := range map[string]func(context.Context, string) error{
		"disable": a.plugins.Disable, "resume": a.plugins.Resume, "rollback": a.plugins.Rollback, "pin": a.plugins.Pin, "unpin": a.plugins.Unpin,
	} {
		op := operation(act+"-plugin-slot", http.MethodPost, "/api/v1/plugins/{name}/"+act, pluginActs[act], tag, 404, 409)
		op.DefaultStatus = http.StatusNoContent
		huma.Register(a.huma, op, a.pluginAct(do))
	}
	huma.Register(a.huma, operation("remove-plugin", http.MethodDelete, "/api/v1/plugins/{name}", "Remove an installed plugin and all its packages", tag, 404, 409), a.pluginAct(a.plugins.Remove))
	huma.Register(a.huma, operation("list-plugin-keys", http.MethodGet, "/api/v1/plugin-keys", "List keys whose signatures count", tag), a.pluginKeys)
	trust := operation("trust-plugin-key", http.MethodPost, "/api/v1/plugin-keys", "Trust a key", tag, 422)
	trust.DefaultStatus = http.StatusCreated
	huma.Register(a.huma, trust, a.trustKey)
	huma.Register(a.huma, operation("list-plugin-names", http.MethodGet, "/api/v1/plugin-names", "List whose key the names of providers are of", tag), a.pluginNames)
	agree := operation("agree-plugin-key", http.MethodPut, "/api/v1/plugin-names/{name}", "Have a name be signed by another trusted key", tag, 404, 409, 422)
	agree.DefaultStatus = http.StatusNoContent
	huma.Register(a.huma, agree, a.agreeKey)
	huma.Register(a.huma, operation("revoke-plugin-key", http.MethodDelete, "/api/v1/plugin-keys/{id}", "Trust a key no more", tag, 404), a.revokePluginKey)
}

var pluginActs = map[string]string{
	"disable": "Stop a plugin until it is resumed", "resume": "Run a disabled plugin again", "rollback": "Go back to the version before",
	"pin": "Keep a plugin at its version", "unpin": "Let a plugin's version change again",
}

func (a *API) pluginAct(do func(context.Context, string) error) func(context.Context, *NameInput) (*struct{}, error) {
	return func(ctx context.Context, in *NameInput) (*struct{}, error) {
		if err := do(ctx, in.Name); err != nil {
			return nil, a.fail(err)
		}
		return nil, nil
	}
}

func (a *API) listPlugins(ctx context.Context, _ *struct{}) (*listOf[Plugin], error) {
	plugins, err := a.plugins.List(ctx)
	if err != nil {
		return nil, a.fail(err)
	}
	items := make([]Plugin, 0, len(plugins))
	for _, p := range plugins {
		items = append(items, pluginView(p))
	}
	return list(items), nil
}

func pluginView(p installer.Plugin) Plugin {
	s := p.Status
	v := Plugin{
		Name: p.Name, State: string(s.State), Version: s.Version, Sum: s.Sum, Package: p.Slot.Sum, Previous: p.Slot.Previous, Pinned: p.Slot.Pinned,
		Providers: s.Providers, Hosts: s.Hosts, PID: s.PID, Memory: s.Memory, InFlight: s.InFlight, Restarts: s.Restarts,
		StartedAt: orAbsent(s.StartedAt), LastError: s.LastError, Refused: s.Refused, Sandbox: string(s.Sandbox), Layers: s.Layers,
	}
	for _, line := range s.LastWords {
		v.LastWords = append(v.LastWords, line.Text)
	}
	for _, d := range s.Deprecated {
		v.Outdated = append(v.Outdated, d.String())
	}
	switch {
	case !p.Slot.Enabled:
		v.State = "disabled"
	case !p.Runs:
		v.State = "waiting"
	}
	for _, pack := range p.Packages {
		v.Packages = append(v.Packages, packageView(pack))
	}
	return v
}

func packageView(p installer.Package) PluginPackage {
	v := barePackageView(p.Package)
	v.SignerTitle, v.Conformance, v.Hosts = p.SignerTitle, string(p.Proof()), p.Manifest.Hosts()
	for _, served := range p.Manifest.Providers {
		v.Providers = append(v.Providers, served.Name)
	}
	return v
}

func barePackageView(p plugindb.Package) PluginPackage {
	return PluginPackage{
		Sum: p.Sum, Name: p.Name, Version: p.Version, State: p.State, Problem: p.Problem, Signer: p.Signer, Size: p.Size,
		StagedAt: p.StagedAt.UTC(), StagedBy: p.StagedBy, ApprovedAt: orAbsent(p.ApprovedAt), ApprovedBy: p.ApprovedBy,
	}
}

func (a *API) stagePlugin(ctx context.Context, in *struct {
	RawBody []byte `contentType:"application/octet-stream"`
}) (*one[PluginPackage], error) {
	p, err := a.plugins.Stage(ctx, bytes.NewReader(in.RawBody))
	if err != nil {
		return nil, a.fail(err)
	}
	return &one[PluginPackage]{Body: barePackageView(p)}, nil
}

func (a *API) approvePlugin(ctx context.Context, in *struct {
	SumInput
	Body struct {
		Confirm string `json:"confirm,omitempty" doc:"The package's SHA-256 again, for one that no trusted key has signed, or that serves a name without a publisher for the first time"`
	}
}) (*one[PluginPackage], error) {
	p, err := a.plugins.Approve(ctx, in.Sum, in.Body.Confirm)
	if err != nil {
		return nil, a.fail(err)
	}
	return &one[PluginPackage]{Body: barePackageView(p)}, nil
}

func (a *API) enablePlugin(ctx context.Context, in *struct {
	SumInput
	Body struct {
		Downgrade    bool `json:"downgrade,omitempty" doc:"Allow an older version than the one that runs"`
		AcceptLosses bool `json:"accept_losses,omitempty" doc:"Allow a version without something that services use; a refusal of the type services-lose names each loss"`
	}
}) (*one[PluginPackage], error) {
	if err := a.plugins.Enable(ctx, in.Sum, installer.Consent{Downgrade: in.Body.Downgrade, Losses: in.Body.AcceptLosses}); err != nil {
		return nil, a.fail(err)
	}
	p, err := a.plugins.Package(ctx, in.Sum)
	if err != nil {
		return nil, a.fail(err)
	}
	return &one[PluginPackage]{Body: barePackageView(p)}, nil
}

func (a *API) discardPlugin(ctx context.Context, in *SumInput) (*struct{}, error) {
	if err := a.plugins.Discard(ctx, in.Sum); err != nil {
		return nil, a.fail(err)
	}
	return nil, nil
}

func (a *API) pluginKeys(ctx context.Context, _ *struct{}) (*listOf[PluginKey], error) {
	keys, err := a.plugins.Keys(ctx)
	if err != nil {
		return nil, a.fail(err)
	}
	items := make([]PluginKey, 0, len(keys))
	for _, k := range keys {
		items = append(items, pluginKeyView(k))
	}
	return list(items), nil
}

func pluginKeyView(k plugindb.PluginKey) PluginKey {
	return PluginKey{ID: k.ID, Title: k.Title, Public: k.Public, TrustedAt: k.TrustedAt.UTC(), RevokedAt: orAbsent(k.RevokedAt)}
}

// PluginName is whose key a name of providers is of.
type PluginName struct {
	Name     string    `json:"name" doc:"acme.* for all providers of the publisher acme; crm for a provider without a publisher"`
	KeyID    string    `json:"key_id" doc:"The key that signs packages which serve it"`
	AgreedAt time.Time `json:"agreed_at"`
	AgreedBy string    `json:"agreed_by,omitempty"`
}

func (a *API) pluginNames(ctx context.Context, _ *struct{}) (*listOf[PluginName], error) {
	names, err := a.plugins.Names(ctx)
	if err != nil {
		return nil, a.fail(err)
	}
	items := make([]PluginName, 0, len(names))
	for _, n := range names {
		items = append(items, PluginName{Name: n.Name, KeyID: n.KeyID, AgreedAt: n.AgreedAt.UTC(), AgreedBy: n.AgreedBy})
	}
	return list(items), nil
}

func (a *API) agreeKey(ctx context.Context, in *struct {
	Name string `path:"name" maxLength:"65"`
	Body struct {
		KeyID string `json:"key_id" minLength:"16" maxLength:"16" doc:"A key that is trusted here"`
	}
}) (*struct{}, error) {
	if err := a.plugins.AgreeKey(ctx, in.Name, in.Body.KeyID); err != nil {
		return nil, a.fail(err)
	}
	return nil, nil
}

// TrustedKeyBody is a key that packages may be signed with.
type TrustedKeyBody struct {
	Title  string `json:"title" minLength:"1" maxLength:"100"`
	Public string `json:"public" minLength:"10" maxLength:"500" doc:"A minisign public key"`
}

func (a *API) trustKey(ctx context.Context, in *one[TrustedKeyBody]) (*one[PluginKey], error) {
	k, err := a.plugins.Trust(ctx, strings.TrimSpace(in.Body.Title), in.Body.Public)
	if err != nil {
		return nil, a.fail(err)
	}
	return &one[PluginKey]{Body: pluginKeyView(k)}, nil
}

func (a *API) revokePluginKey(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*struct{}, error) {
	if err := a.plugins.Revoke(ctx, in.ID); err != nil {
		return nil, a.fail(err)
	}
	return nil, nil
}
