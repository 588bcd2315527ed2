package authorkit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/pluginpack"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest"
)

// Fixtures say with which service a plugin is tested. They are a JSON file, so
// that plugins in any language have one.
type Fixtures struct {
	// Provider is tested, if the plugin serves more than one.
	Provider string         `json:"provider"`
	Options  map[string]any `json:"options"`
	Scopes   []string       `json:"scopes"`
	Public   bool           `json:"public"`
	// Callback are parameters that the service adds to code and state.
	Callback map[string]string `json:"callback"`
	// TokenReply is the body of a successful token reply with {access} and
	// {refresh} in it; "" is that of RFC 6749 section 5.1.
	TokenReply string `json:"token_reply"`
	// LifeSeconds is the life that TokenReply gives, if its expires_in is not in seconds.
	LifeSeconds int64 `json:"life_seconds"`
	// Extra are extra fields of the current token set.
	Extra map[string]any `json:"extra"`
	// Replies is the folder of recorded replies, relative to the file.
	Replies string `json:"replies"`
	// Gaps are checks that the provider cannot pass, by name, with the reason.
	Gaps map[string]string `json:"gaps"`
	// Unconfined runs the plugin with the caller's own rights; it is no part of the file.
	Unconfined bool `json:"-"`
}

// Report is what Test found. Its JSON is what `plugin test --report` writes.
type Report struct {
	Plugin   string                `json:"plugin"`
	SHA256   string                `json:"sha256"`
	Provider string                `json:"provider,omitempty"`
	Results  []providertest.Result `json:"results"`
	// Renews is set if the declared renewal was proven.
	Renews bool `json:"renews"`
}

// Failed are the names of the checks that did not hold.
func (r *Report) Failed() []string {
	return r.names(func(r providertest.Result) bool { return r.Problem != "" })
}

func (r *Report) names(which func(providertest.Result) bool) (names []string) {
	for _, result := range r.Results {
		if which(result) {
			names = append(names, result.Name)
		}
	}
	return names
}

// conformance is the report in the form of a manifest.
func (r *Report) conformance() *pluginpack.Conformance {
	return &pluginpack.Conformance{
		EntrySHA256: r.SHA256, Passed: r.names(providertest.Result.Passed), Failed: r.Failed(),
		Gaps: r.names(func(r providertest.Result) bool { return r.Gap != "" }), Renews: r.Renews,
	}
}

// ReadFixtures reads a file of fixtures; "" is none.
func ReadFixtures(file string) (Fixtures, error) {
	var f Fixtures
	if file == "" {
		return f, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return f, fmt.Errorf("read the fixtures: %w", err)
	}
	if err := strictly(data, &f); err != nil {
		return f, fmt.Errorf("read the fixtures %s: %w", file, err)
	}
	for name := range f.Gaps {
		if !slices.Contains(providertest.Checks(), name) {
			return f, fmt.Errorf("read the fixtures %s: gaps: there is no check %q; there are %s", file, name, strings.Join(providertest.Checks(), ", "))
		}
	}
	if f.Replies != "" && !filepath.IsAbs(f.Replies) {
		f.Replies = filepath.Join(filepath.Dir(file), f.Replies)
	}
	return f, nil
}

// strictly decodes JSON without unknown fields, and names the line of an error.
func strictly(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil && decoder.More() {
		err = errors.New("something follows the object")
	}
	if err == nil {
		return nil
	}
	at := decoder.InputOffset()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = syntax.Offset
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		at = wrong.Offset
	}
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		at = int64(max(0, bytes.Index(data, []byte(name))))
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:min(at, int64(len(data)))], []byte{'\n'}), err)
}

// Test runs the conformance suite on a built plugin, which is started as a hub
// starts it: in the sandbox, all of which is required unless Fixtures.Unconfined. An error means that it could not be tested; what it does wrong is in
// the report.
func Test(ctx context.Context, binary string, f Fixtures) (*Report, error) {
	sum, err := sumOfFile(binary)
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(binary)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", binary, err)
	}
	config := f.config(ctx, path)
	results, err := providertest.Prove(ctx, config)
	if err != nil && len(results) == 0 {
		return nil, fmt.Errorf("test %s: %w", binary, err)
	}
	r := &Report{Plugin: filepath.Base(binary), SHA256: sum, Provider: f.Provider, Results: results, Renews: providertest.Renews(results)}
	return r, errors.Join(err, ctx.Err())
}

// config is what the suite is run with.
func (f Fixtures) config(ctx context.Context, path string) providertest.Config {
	config := providertest.Config{
		Binary: path, Start: starter(ctx, f.Unconfined), Name: f.Provider, Public: f.Public, TokenReply: f.TokenReply, Life: time.Duration(f.LifeSeconds) * time.Second, Gaps: f.Gaps,
		Service: provider.Service{Options: f.Options, Scopes: f.Scopes}, Current: provider.Token{Extra: f.Extra},
		Callback: url.Values{}, Replies: folder(f.Replies),
	}
	for name, value := range f.Callback {
		config.Callback.Set(name, value)
	}
	return config
}

func folder(path string) fs.FS {
	if path == "" {
		return nil
	}
	return os.DirFS(path)
}
