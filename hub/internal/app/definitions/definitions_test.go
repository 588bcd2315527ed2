package definitions_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	app "github.com/evergrant/evergrant/hub/internal/app/definitions"
	"github.com/evergrant/evergrant/hub/internal/definitions"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestEveryActIsRecorded(t *testing.T) {
	apptest.EveryActIsRecorded(t, "Definitions", "List", "One", "Check", "Folder", "Refused")
}

// document describes a service that nobody ships.
func document(name, title string) string {
	return `definition: 1
name: ` + name + `
version: 2026-12-01
title: { en: ` + title + `, ru: Акме }
authorization:
  url: https://acme.example/authorize
token:
  url: https://acme.example/token
renewal:
  auto: refresh_token
evidence:
  token: { kind: vendor, source: "https://acme.example/docs", read: 2026-11-30 }
  renewal: { kind: unverified, note: { en: Nobody knows., ru: Никто не знает. } }
`
}

// replica is the part of a hub that keeps definitions, with the real plugin.
type replica struct {
	*app.Definitions

	keeps  *definitions.Definitions
	host   *pluginhost.Host
	store  *store.Store
	folder string
}

func newReplica(t *testing.T, st *store.Store) *replica {
	t.Helper()
	plugins := t.TempDir()
	if _, err := plugintest.Put(plugins, definitions.Plugin, "plugins/declarative"); err != nil {
		t.Fatal(err)
	}
	runDir, err := os.MkdirTemp("", "eg") //nolint:usetesting // t.TempDir's path is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(runDir) })
	r := &replica{store: st, folder: t.TempDir()}
	r.keeps = definitions.New(definitions.Options{Store: st, Dir: r.folder, Logger: hclog.NewNullLogger()})
	if err := r.keeps.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.host, err = pluginhost.New(pluginhost.Options{
		Dir: plugins, RuntimeDir: runDir, Documents: r.keeps.Documents,
		Accept: func(_ string, ds []provider.Description) error {
			for _, d := range ds {
				switch d.Title.EN {
				case "Unwanted":
					return errors.New("it does not take the settings of the service")
				case "Poorer":
					return &pluginhost.LossError{Losses: []string{"the service acme could not renew its connections any more (refresh)"}}
				}
			}
			return nil
		},
		DocumentsRefused: func(_, reason string) {
			if err := r.Quarantine(context.WithoutCancel(t.Context()), reason); err != nil {
				t.Error(err)
			}
		},
		StartTimeout: time.Minute, ReadyTimeout: time.Minute, ConnectTimeout: time.Minute, CallTimeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.host.Stop(context.Background()) })
	r.keeps.Attach(r.host, func() {})
	if err := r.host.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Definitions = app.New(app.Options{Definitions: r.keeps, Recorder: apptest.Recorder(st)})
	return r
}

func (r *replica) title(name string) string {
	d, _, _ := r.host.Description(name)
	return d.Title.EN
}

// take takes what has changed in the folder.
func (r *replica) take(t *testing.T) error {
	t.Helper()
	files, err := r.keeps.Folder().Changes()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		err = errors.Join(err, r.TakeFile(t.Context(), file))
	}
	return err
}

func (r *replica) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (r *replica) addService(t *testing.T, provider string) string {
	t.Helper()
	svc := service.Service{ID: store.NewID(), Name: "s-" + strings.ReplaceAll(provider, ".", "-"), Title: "A service", Provider: provider, CreatedAt: time.Now(), UpdatedAt: time.Now()}
	if err := r.store.Services.CreateService(t.Context(), svc); err != nil {
		t.Fatal(err)
	}
	return svc.ID
}

func codeOf(err error) string {
	if refused, ok := errors.AsType[*definitions.RefusedError](err); ok && refused.Text.RU != "" {
		return refused.Code
	}
	return ""
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The walk of an administrator: a mistake is told at its line, the draft is served beside,
// enabled, changed, gone back from, removed; another replica follows.
func TestADefinitionIsAddedTriedEnabledAndGoneBackFrom(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r, other := newReplica(t, st), newReplica(t, st)
		ann := apptest.As(t, "ann", "u1", access.RoleAdministrator)

		_, err := r.Save(ann, strings.Replace(document("acme", "Acme"), "title:", "titel:", 1))
		refused, _ := errors.AsType[*definitions.RefusedError](err)
		if refused == nil || len(refused.Problems) == 0 || refused.Problems[len(refused.Problems)-1].Line != 4 {
			t.Fatalf("the mistake is told as %v", err)
		}
		apptest.Want(t, st, "ann definition.save begun", "ann definition.save refused")

		first, err := r.Save(ann, document("acme", "Acme"))
		must(t, err)
		if r.title("draft.acme") != "Acme (draft)" || r.title("acme") != "" {
			t.Errorf("the draft is served as %q, the definition as %q", r.title("draft.acme"), r.title("acme"))
		}
		tried := r.addService(t, "draft.acme")
		if err := r.Enable(ann, "acme", first.Number, false); codeOf(err) != definitions.CodeInUse {
			t.Errorf("enabled while a service uses the draft: %v", err)
		}
		must(t, st.Services.DeleteService(t.Context(), tried))
		must(t, r.Enable(ann, "acme", first.Number, false))
		if r.title("draft.acme") != "" || r.title("acme") != "Acme" {
			t.Errorf("the draft is served as %q, the definition as %q", r.title("draft.acme"), r.title("acme"))
		}
		second, err := r.Save(ann, document("acme", "Acme Two"))
		must(t, err)
		must(t, r.Enable(ann, "acme", second.Number, false))
		must(t, other.keeps.Follow(t.Context()))
		if other.title("acme") != "Acme Two" {
			t.Errorf("another replica serves %q", other.title("acme"))
		}
		must(t, r.Rollback(ann, "acme", false))
		must(t, other.keeps.Follow(t.Context()))
		if r.title("acme") != "Acme" || other.title("acme") != "Acme" {
			t.Errorf("gone back to %q, the other replica to %q", r.title("acme"), other.title("acme"))
		}
		r.addService(t, "acme")
		if err := r.Disable(ann, "acme", false); codeOf(err) != definitions.CodeInUse {
			t.Errorf("removed from under a service: %v", err)
		}
		item, err := r.One(ann, "acme")
		must(t, err)
		if len(item.Versions) != 2 || item.Unverified != 1 || item.Served() != 1 || item.Slot.Enabled != 1 {
			t.Errorf("it is %+v", item)
		}
		apptest.Want(t, st, "ann definition.rollback begun acme", "ann definition.rollback done acme", "ann definition.disable begun acme", "ann definition.disable refused acme")
	})
}

// A shipped definition is replaced and comes back; a name of another plugin is refused.
func TestAShippedDefinitionIsReplacedAndComesBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r := newReplica(t, st)
		ann := apptest.As(t, "ann", "u1", access.RoleAdministrator)
		items, plugin, err := r.List(ann)
		if err != nil || plugin != nil || len(items) < 10 || items[0].Shipped == nil || items[0].Read == nil {
			t.Fatalf("%d are shipped: %v, %v", len(items), plugin, err)
		}
		name, title := items[0].Name, r.title(items[0].Name)
		kept, err := r.Save(ann, document(name, "Ours"))
		must(t, err)
		must(t, r.Enable(ann, name, kept.Number, false))
		if r.title(name) != "Ours" {
			t.Errorf("%s is %q", name, r.title(name))
		}
		must(t, r.Disable(ann, name, false))
		if r.title(name) != title {
			t.Errorf("%s is %q, was %q", name, r.title(name), title)
		}
		if _, err := r.Check(document("draft.acme", "Acme")); codeOf(err) != definitions.CodeProblems {
			t.Errorf("the name of a draft: %v", err)
		}
		if err := r.Discard(ann, name); codeOf(err) != definitions.CodeNothing {
			t.Errorf("a draft that there is not: %v", err)
		}
		if err := r.Enable(ann, name, 99, false); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a version that there is not: %v", err)
		}
	})
}

func TestFilesOfTheFolderAreTakenWhenTheyChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r := newReplica(t, st)
		r.write(t, "acme.yaml", document("acme", "Acme"))
		r.write(t, "notes.txt", "not one")
		must(t, r.take(t))
		if r.title("acme") != "Acme" {
			t.Errorf("the file is served as %q", r.title("acme"))
		}
		r.write(t, "acme.yaml", "definition: 1\nname: acme\nwrong: true\n")
		if err := r.take(t); codeOf(err) != definitions.CodeProblems {
			t.Errorf("a broken file: %v", err)
		}
		_, notes := r.Folder()
		if len(notes) != 1 || len(notes[0].Problems) == 0 || notes[0].Definition != "acme" || r.title("acme") != "Acme" {
			t.Errorf("a broken file is told as %+v, served is %q", notes, r.title("acme"))
		}
		r.write(t, "acme.yaml", document("acme", "Mended"))
		must(t, r.take(t))
		if _, notes = r.Folder(); len(notes) != 0 || r.title("acme") != "Mended" {
			t.Errorf("mended: %+v, served is %q", notes, r.title("acme"))
		}
		used := r.addService(t, "acme")
		must(t, os.Remove(filepath.Join(r.folder, "acme.yaml")))
		if err := r.take(t); codeOf(err) != definitions.CodeInUse {
			t.Errorf("removed while it is used: %v", err)
		}
		if _, notes = r.Folder(); len(notes) != 1 || !notes[0].Gone || r.title("acme") != "Mended" {
			t.Errorf("removed while it is used: %+v, served is %q", notes, r.title("acme"))
		}
		must(t, st.Services.DeleteService(t.Context(), used))
		r.write(t, "acme.yaml", document("acme", "Again"))
		must(t, r.take(t))
		must(t, os.Remove(filepath.Join(r.folder, "acme.yaml")))
		must(t, r.take(t))
		if _, notes = r.Folder(); len(notes) != 0 || r.title("acme") != "" {
			t.Errorf("removed: %+v, served is %q", notes, r.title("acme"))
		}
		apptest.Want(t, st, "definition.file done acme")
	})
}

// What people have done since stays when a hub is started again.
func TestAFileThatIsKnownIsNotTakenAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r := newReplica(t, st)
		ann := apptest.As(t, "ann", "u1", access.RoleAdministrator)
		r.write(t, "acme.yaml", document("acme", "Of the file"))
		must(t, r.take(t))
		kept, err := r.Save(ann, document("acme", "Of ann"))
		must(t, err)
		must(t, r.Enable(ann, "acme", kept.Number, false))
		again := newReplica(t, st)
		again.write(t, "acme.yaml", document("acme", "Of the file"))
		must(t, again.take(t))
		if again.title("acme") != "Of ann" {
			t.Errorf("served is %q", again.title("acme"))
		}
	})
}

// What services lose is told and has to be agreed to; what they cannot take at all is refused.
func TestLossesOfServicesAreAgreedTo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r := newReplica(t, st)
		ann := apptest.As(t, "ann", "u1", access.RoleAdministrator)
		first, _, err := r.keeps.Save(ann, document("acme", "Acme"), "web")
		must(t, err)
		must(t, r.Enable(ann, "acme", first.Number, false))
		poorer, _, err := r.keeps.Save(ann, document("acme", "Poorer"), "web")
		must(t, err)
		if err := r.Enable(ann, "acme", poorer.Number, false); codeOf(err) != definitions.CodeLosses || !strings.Contains(err.Error(), "could not renew") {
			t.Errorf("losses: %v", err)
		}
		unwanted, _, err := r.keeps.Save(ann, document("acme", "Unwanted"), "web")
		must(t, err)
		if err := r.Enable(ann, "acme", unwanted.Number, true); codeOf(err) != definitions.CodeFailed || r.title("acme") != "Acme" {
			t.Errorf("what services cannot take: %v, served is %q", err, r.title("acme"))
		}
		must(t, r.Enable(ann, "acme", poorer.Number, true))
		if r.title("acme") != "Poorer" {
			t.Errorf("served is %q", r.title("acme"))
		}
		again := newReplica(t, st)
		if again.title("acme") != "Poorer" {
			t.Errorf("after a start %q is served", again.title("acme"))
		}
	})
}

// A replica that cannot take what another one has enabled has all of them go back.
func TestWhatAReplicaCannotTakeIsGoneBackFrom(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r := newReplica(t, st)
		ann := apptest.As(t, "ann", "u1", access.RoleAdministrator)
		first, _, err := r.keeps.Save(ann, document("acme", "Acme"), "web")
		must(t, err)
		must(t, r.Enable(ann, "acme", first.Number, false))
		unwanted, _, err := r.keeps.Save(ann, document("acme", "Unwanted"), "web")
		must(t, err)
		must(t, st.Plugins.ChangeDefinition(t.Context(), "acme", func(slot *plugindb.DefinitionSlot) error {
			slot.Previous, slot.Enabled, slot.UpdatedAt = slot.Enabled, unwanted.Number, slot.UpdatedAt.Add(time.Second)
			return nil
		}))
		must(t, r.keeps.Follow(t.Context()))
		waittest.Until(t, "it has gone back", func() bool {
			item, err := r.One(t.Context(), "acme")
			return err == nil && item.Slot.Enabled == first.Number && strings.Contains(item.Slot.Problem, "settings of the service") && r.Refused() == ""
		})
		if r.title("acme") != "Acme" {
			t.Errorf("served is %q", r.title("acme"))
		}
		apptest.Want(t, st, "definition.quarantine done acme")
	})
}

func TestWhoMayNotChangesNoDefinition(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r := newReplica(t, st)
		operator := apptest.As(t, "olga", "u2", access.RoleOperator)
		_, saved := r.Save(operator, document("acme", "Acme"))
		for _, err := range []error{saved, r.Enable(operator, "acme", 1, true), r.Rollback(operator, "acme", true), r.Disable(operator, "acme", true), r.Discard(operator, "acme")} {
			if !errors.Is(err, act.ErrNotAllowed) {
				t.Error(err)
			}
		}
		if versions, err := st.Plugins.Definitions(t.Context()); err != nil || len(versions) != 0 {
			t.Errorf("changed: %+v, %v", versions, err)
		}
	})
}

// What another publisher describes is tried and enabled as well.
func TestADefinitionOfAPublisherIsTriedAndEnabled(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r := newReplica(t, st)
		ann := apptest.As(t, "ann", "u1", access.RoleAdministrator)
		kept, err := r.Save(ann, document("acme.crm", "Acme CRM"))
		must(t, err)
		draft := definitions.DraftProvider("acme.crm")
		if r.title(draft) != "Acme CRM (draft)" || r.title("acme.crm") != "" {
			t.Errorf("the draft is served as %q, the definition as %q", r.title(draft), r.title("acme.crm"))
		}
		must(t, r.Enable(ann, "acme.crm", kept.Number, false))
		if r.title(draft) != "" || r.title("acme.crm") != "Acme CRM" {
			t.Errorf("then the draft is served as %q, the definition as %q", r.title(draft), r.title("acme.crm"))
		}
		if _, err := r.Save(ann, document(draft, "Acme CRM")); codeOf(err) != definitions.CodeProblems {
			t.Errorf("a name of a draft is taken: %v", err)
		}
		if one, err := r.One(ann, "acme.crm"); err != nil || one.Slot.Enabled != kept.Number || len(one.Versions) != 1 {
			t.Errorf("it reads as %+v, %v", one.Slot, err)
		}
		if _, err := r.One(ann, "acme"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a definition that is not there: %v", err)
		}
	})
}
