package page

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/pluginpack"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// shown is the page of a plugin for a person of a role.
func shown(t *testing.T, lang, role string, p view.Plugin) string {
	t.Helper()
	ctx := view.WithRole(i18n.With(t.Context(), i18n.NewSpeaker(lang, nil, time.Now())), role)
	return rendered(ctx, t, p)
}

func rendered(ctx context.Context, t *testing.T, p view.Plugin) string {
	t.Helper()
	var page bytes.Buffer
	if err := Plugin(view.Shell{Section: view.SectionPlugins, Person: &view.Person{Login: "olga"}}, p).Render(ctx, &page); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

func TestADeprecatedPluginIsToldWhatToDo(t *testing.T) {
	p := view.Plugin{Plugin: installer.Plugin{Name: "acme", Runs: true, Slot: plugindb.Slot{Enabled: true}}}
	p.Status = pluginhost.PluginStatus{Name: "acme", State: pluginhost.StateIdle, Deprecated: []pluginhost.Deprecation{
		{Feature: "old", Since: "1.4.0", Until: "2.0.0", Instead: provider.Text{EN: "Do it anew.", RU: "Сделайте по-новому."}},
	}}
	for lang, want := range map[string][]string{
		"en": {"the deprecated feature old", "Deprecated since release 1.4.0; the release 2.0.0", "Do it anew."},
		"ru": {"возможность контракта old", "Устарело с выпуска 1.4.0; в выпуске 2.0.0", "Сделайте по-новому."},
	} {
		page := shown(t, lang, access.RoleViewer, p)
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("%s: the page lacks %q", lang, text)
			}
		}
	}
}

// A version that another key signs than the name's own is offered to owners alone, and not
// to be approved before.
func TestAnotherKeyIsAgreedToByOwners(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	pack := installer.Package{
		Package:  plugindb.Package{Sum: sum, Name: "acme", Version: "1.1.0", State: installer.Verified, Signer: "BBBBBBBBBBBBBBBB", StagedAt: time.Now()},
		Manifest: &pluginpack.Manifest{Providers: []pluginpack.Provider{{Name: "acme.crm", Hosts: []string{"acme.example"}}}},
		Naming:   installer.Naming{Names: []string{"acme.*"}, Others: []plugindb.Name{{Name: "acme.*", KeyID: "AAAAAAAAAAAAAAAA"}}},
	}
	p := view.Plugin{Plugin: installer.Plugin{Name: "acme", Slot: plugindb.Slot{Enabled: true}, Packages: []installer.Package{pack}}}
	action := "/plugin-names/acme.%2A/agree/BBBBBBBBBBBBBBBB"
	for role, offered := range map[string]bool{access.RoleOwner: true, access.RoleAdministrator: false} {
		page := shown(t, "en", role, p)
		if strings.Contains(page, action) != offered || !strings.Contains(page, "acme.* is signed by the key AAAAAAAAAAAAAAAA here") {
			t.Errorf("%s: the key is offered %t", role, !offered)
		}
		if strings.Contains(page, `data-opens="approve-`+sum) {
			t.Errorf("%s may approve it", role)
		}
	}
}
