package installer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/pluginpack"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

const acme = "evergrant-provider-acme"

func wantCode(t *testing.T, err error, code string) *installer.RefusedError {
	t.Helper()
	refused, ok := errors.AsType[*installer.RefusedError](err)
	if !ok || refused.Code != code {
		t.Fatalf("got %v, want a refusal %s", err, code)
	}
	return refused
}

func TestAPluginIsInstalledInThreeActsThatAreNoted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r, a := newReplica(t, st), newAuthor(t)
		if _, err := r.Trust(t.Context(), "Acme", a.public); err != nil {
			t.Fatal(err)
		}
		p := r.stage(t, packed(t, a, "acme", "1.0.0", acme))
		if p.State != installer.Verified || p.StagedBy != "anna" {
			t.Fatalf("staged as %+v", p)
		}
		wantCode(t, r.Enable(t.Context(), p.Sum, installer.Consent{}), installer.CodeState)
		if _, err := r.Approve(t.Context(), p.Sum, p.Sum); err != nil {
			t.Fatal(err)
		}
		if r.running() != "" {
			t.Error("it ran before it was enabled")
		}
		if err := r.Enable(t.Context(), p.Sum, installer.Consent{}); err != nil {
			t.Fatal(err)
		}
		d, _, ok := r.host.Description("acme")
		if !ok || d.Name != "acme" || r.running() != p.Sum {
			t.Errorf("it does not run: %+v", r.host.Plugins())
		}
		if got := acts(t, st); !slices.Equal(got, []string{"plugin.trust", "plugin.stage", "plugin.enable refused", "plugin.approve", "plugin.enable"}) {
			t.Errorf("noted %v", got)
		}
	})
}

func TestASignatureThatNobodyTrustsNeedsAWordOfItsOwn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r, a := newReplica(t, st), newAuthor(t)
		for name, data := range map[string][]byte{
			"not signed": packed(t, nil, "one", "1.0.0", acme), "unknown key": packed(t, a, "two", "1.0.0", acme),
		} {
			p := r.stage(t, data)
			if p.State != installer.Staged || p.Problem == "" {
				t.Errorf("%s: %+v", name, p)
			}
			_, err := r.Approve(t.Context(), p.Sum, "")
			if refused := wantCode(t, err, installer.CodeUnsigned); refused.With != p.Sum {
				t.Errorf("%s: to be confirmed with %q", name, refused.With)
			}
			if _, err := r.Approve(t.Context(), p.Sum, p.Sum); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		three := r.stage(t, packed(t, a, "three", "1.0.0", acme))
		key, err := r.Trust(t.Context(), "Acme", a.public)
		if err != nil {
			t.Fatal(err)
		}
		if p, _ := st.Plugins.Package(t.Context(), three.Sum); p.State != installer.Verified {
			t.Errorf("with its key trusted it is %s", p.State)
		}
		if err := r.Revoke(t.Context(), key.ID); err != nil {
			t.Fatal(err)
		}
		p, _ := st.Plugins.Package(t.Context(), three.Sum)
		if p.State != installer.Staged || !strings.Contains(p.Problem, "not trusted any more") {
			t.Errorf("with its key revoked it is %s: %s", p.State, p.Problem)
		}
		_, err = r.Approve(t.Context(), three.Sum, "")
		wantCode(t, err, installer.CodeUnsigned)
	})
}

func TestWhatIsRefusedLeavesNothing(t *testing.T) {
	t.Parallel()
	st := storetest.SQLite(t)
	r := newReplica(t, st)
	good := packed(t, nil, "acme", "1.0.0", acme)
	for name, data := range map[string][]byte{
		"damaged":  good[:len(good)/2],
		"nonsense": []byte("hello"),
		"another system": packed(t, nil, "acme", "1.0.0", acme, func(m *pluginpack.Manifest) {
			m.Arch = "s390x"
		}),
		"another protocol": packed(t, nil, "acme", "1.0.0", acme, func(m *pluginpack.Manifest) { m.Protocols = []int{9} }),
	} {
		_, err := r.Stage(t.Context(), bytes.NewReader(data))
		wantCode(t, err, installer.CodePackage)
		left, readErr := os.ReadDir(r.dir)
		packages, storeErr := st.Plugins.Packages(t.Context())
		if len(left)+len(packages) != 0 || readErr != nil || storeErr != nil {
			t.Errorf("%s: %d folders and %d packages are left", name, len(left), len(packages))
		}
	}
	if got := acts(t, st); len(got) != 4 || got[0] != "plugin.stage refused" {
		t.Errorf("noted %v", got)
	}
}

func TestAnOlderVersionNeedsAWordAndRollbackGoesBack(t *testing.T) {
	t.Parallel()
	st := storetest.SQLite(t)
	r := newReplica(t, st)
	one, err := r.install(t, packed(t, nil, "acme", "1.2.0", acme))
	if err != nil {
		t.Fatal(err)
	}
	two, err := r.install(t, packed(t, nil, "acme", "1.10.0", acme))
	if err != nil || r.running() != two.Sum {
		t.Fatal(err, r.running())
	}
	wantCode(t, r.Enable(t.Context(), one.Sum, installer.Consent{}), installer.CodeDowngrade)
	if err := r.Pin(t.Context(), "acme", true); err != nil {
		t.Fatal(err)
	}
	wantCode(t, r.Enable(t.Context(), one.Sum, installer.Consent{Downgrade: true}), installer.CodePinned)
	wantCode(t, r.Rollback(t.Context(), "acme"), installer.CodePinned)
	if err := errors.Join(r.Pin(t.Context(), "acme", false), r.Rollback(t.Context(), "acme")); err != nil || r.running() != one.Sum {
		t.Fatal(err, r.running())
	}
	if err := r.Rollback(t.Context(), "acme"); err != nil || r.running() != two.Sum {
		t.Fatal("forward again", err)
	}
	if err := r.Enable(t.Context(), one.Sum, installer.Consent{Downgrade: true}); err != nil || r.running() != one.Sum {
		t.Fatal("the downgrade that was confirmed", err)
	}
	if err := r.Disable(t.Context(), "acme"); err != nil || r.running() != "" {
		t.Fatal("disabled", err)
	}
	if err := r.Resume(t.Context(), "acme"); err != nil || r.running() != one.Sum {
		t.Fatal("resumed", err)
	}
}

func TestAVersionThatDoesNotWorkIsQuarantinedAndTheOldOneStays(t *testing.T) {
	t.Parallel()
	st := storetest.SQLite(t)
	for name, bad := range map[string]func(*testing.T) []byte{
		"does not start": func(t *testing.T) []byte { return packed(t, nil, "acme", "2.0.0", "evergrant-provider-crash") },
		"is not accepted": func(t *testing.T) []byte {
			return packed(t, nil, "acme", "2.1.0", "evergrant-provider-unwanted")
		},
		"lies about its hosts": func(t *testing.T) []byte {
			return packed(t, nil, "acme", "2.2.0", acme, func(m *pluginpack.Manifest) { m.Providers[0].Hosts = []string{"example.org"} })
		},
		"lies about its version": func(t *testing.T) []byte {
			return packed(t, nil, "acme", "2.3.0", acme, func(m *pluginpack.Manifest) { m.Reports = "9.9.9" })
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReplica(t, st)
			old, err := r.install(t, packed(t, nil, "acme", "1.0.0", acme))
			if err != nil {
				t.Fatal(err)
			}
			works(t, r)
			p, err := r.install(t, bad(t))
			wantCode(t, err, installer.CodeFailed)
			works(t, r)
			for range 2 { // a failure to start that could pass is tried again before it is given up
				if err := r.Sync(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			waittest.Until(t, "it is in quarantine", func() bool {
				q, err := st.Plugins.Package(t.Context(), p.Sum)
				return err == nil && q.State == installer.Quarantined && q.Problem != ""
			})
			waittest.Until(t, "the slot is back", func() bool {
				slots, err := st.Plugins.Slots(t.Context())
				return err == nil && slots[0].Sum == old.Sum
			})
			works(t, r)
			if r.running() != old.Sum {
				t.Errorf("%s runs", r.running())
			}
			wantCode(t, r.Enable(t.Context(), p.Sum, installer.Consent{}), installer.CodeState)
			if err := r.Remove(t.Context(), "acme"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// works renews with the plugin, as a process that needs a token would.
func works(t *testing.T, r *replica) {
	t.Helper()
	if err := renew(t.Context(), r, ""); err != nil {
		t.Fatal(err)
	}
}

func renew(ctx context.Context, r *replica, command string) error {
	return r.host.Run(ctx, "acme", func(ctx context.Context, c *providerplugin.Client) error {
		req := &provider.RefreshRequest{}
		req.Current.AccessToken = command
		_, err := c.Refresh(ctx, answer{}, "acme", req)
		return err
	})
}

type answer struct{ providerplugin.NoKeys }

func (answer) RoundTrip(context.Context, int, *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
	return &providerplugin.HTTPResponse{Status: 200, Body: []byte("next")}, nil
}

func TestAVersionThatKeepsCrashingGoesBackByItself(t *testing.T) {
	t.Parallel()
	st := storetest.SQLite(t)
	r := newReplica(t, st)
	old, err := r.install(t, packed(t, nil, "acme", "1.0.0", acme))
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.install(t, packed(t, nil, "acme", "2.0.0", acme))
	if err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "the version before is back", func() bool {
		_ = renew(t.Context(), r, "exit")
		return r.running() == old.Sum
	})
	waittest.Until(t, "the new one is in quarantine", func() bool {
		q, err := st.Plugins.Package(t.Context(), p.Sum)
		return err == nil && q.State == installer.Quarantined
	})
	waittest.Until(t, "renewals go on", func() bool { return renew(t.Context(), r, "") == nil })
	if got := acts(t, st); !slices.Contains(got, "plugin.quarantine") {
		t.Errorf("noted %v", got)
	}
}

// A version that describes itself well and fails at every renewal goes back too, also
// one that was enabled before the hub was started. Who looks is told why.
func TestAVersionThatPanicsAtEveryRefreshGoesBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		anna := audit.With(t.Context(), audit.Actor{Kind: audit.KindPerson, Name: "anna"})
		first := newReplica(t, st)
		old, err := first.install(t, packed(t, nil, "acme", "1.0.0", acme))
		if err != nil {
			t.Fatal(err)
		}
		p := first.stage(t, packed(t, nil, "acme", "2.0.0", acme))
		if _, err := first.Approve(anna, p.Sum, p.Sum); err != nil {
			t.Fatal(err)
		}
		if err := first.Enable(anna, p.Sum, installer.Consent{}); err != nil {
			t.Fatal(err)
		}
		r := newReplica(t, st) // the hub was restarted
		for range 3 {
			if renew(t.Context(), r, "panic") == nil {
				t.Fatal("it did not panic")
			}
		}
		waittest.Until(t, "the version before is back", func() bool { return r.running() == old.Sum && slotOf(t, st).Sum == old.Sum })
		q, err := st.Plugins.Package(t.Context(), p.Sum)
		if err != nil || q.State != installer.Quarantined || !strings.Contains(q.Problem, "panicked") {
			t.Errorf("it is %s: %s, %v", q.State, q.Problem, err)
		}
		works(t, r)
		waittest.Until(t, "it is in the audit record", func() bool { return slices.Contains(acts(t, st), "plugin.quarantine") })
		if err := first.Follow(t.Context()); err != nil || first.running() != old.Sum {
			t.Errorf("the other replica runs %q, %v", first.running(), err)
		}
		for name, one := range map[string]*replica{"that went back": r, "that followed": first} {
			for range 4 {
				_ = renew(t.Context(), one, "panic")
			}
			if one.running() != old.Sum {
				t.Errorf("the replica %s has gone on to %s, which is in quarantine", name, one.running())
			}
		}
	})
}

func TestEveryReplicaGetsWhatIsInstalledAtOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		one, two := newReplica(t, st), newReplica(t, st)
		p, err := one.install(t, packed(t, nil, "acme", "1.0.0", acme))
		if err != nil {
			t.Fatal(err)
		}
		if err := two.Follow(t.Context()); err != nil || two.running() != p.Sum {
			t.Fatalf("the other replica runs %q, %v", two.running(), err)
		}
		works(t, two)
		if err := one.Disable(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
		if err := two.Follow(t.Context()); err != nil || two.running() != "" {
			t.Errorf("disabled at one, the other runs %q, %v", two.running(), err)
		}
	})
}

func TestAPluginThatServicesNeedIsNotRemoved(t *testing.T) {
	t.Parallel()
	st := storetest.SQLite(t)
	r := newReplica(t, st)
	p, err := r.install(t, packed(t, nil, "acme", "1.0.0", acme))
	if err != nil {
		t.Fatal(err)
	}
	d, _, _ := r.host.Description("acme")
	svc := service.Service{ID: store.NewID(), Name: "shop", Provider: "acme", Description: &d}
	if err := st.Services.CreateService(t.Context(), svc); err != nil {
		t.Fatal(err)
	}
	if refused := wantCode(t, r.Remove(t.Context(), "acme"), installer.CodeInUse); !strings.Contains(refused.Message, "shop") {
		t.Error(refused.Message)
	}
	if err := r.Discard(t.Context(), p.Sum); !errors.Is(err, store.ErrInUse) {
		t.Errorf("discarded: %v", err)
	}
	if err := errors.Join(st.Services.DeleteService(t.Context(), svc.ID), r.Remove(t.Context(), "acme")); err != nil || r.running() != "" {
		t.Error(err, r.running())
	}
}

func TestAHalfInstalledPackageIsInvisible(t *testing.T) {
	t.Parallel()
	st := storetest.SQLite(t)
	r := newReplica(t, st)
	p, err := r.install(t, packed(t, nil, "acme", "1.0.0", acme))
	if err != nil {
		t.Fatal(err)
	}
	// The power went while a later one was unpacked, and the folder of this one is lost.
	half := filepath.Join(r.dir, ".unpacking-123")
	if err := errors.Join(os.MkdirAll(filepath.Join(half, "x"), 0o755), os.RemoveAll(filepath.Join(r.dir, p.Sum))); err != nil {
		t.Fatal(err)
	}
	again, err := installer.New(installer.Options{Store: st, Dir: r.dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(half); err == nil {
		t.Error("the half is still there")
	}
	if err := again.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	sources := again.Installed().Sources
	if len(sources) != 1 || sources[0].Package.Sum != p.Sum {
		t.Fatalf("installed is %+v", sources)
	}
	if _, err := os.Stat(sources[0].Path); err != nil {
		t.Error("the package did not come back from the database:", err)
	}
}

func TestConcurrentActsOnOnePluginLeaveOneProcess(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r := newReplica(t, st)
		var sums []string
		for n := range 3 {
			p, err := r.install(t, packed(t, nil, "acme", fmt.Sprintf("1.%d.0", n), acme))
			if err != nil {
				t.Fatal(err)
			}
			sums = append(sums, p.Sum)
		}
		var acting sync.WaitGroup
		for n := range 12 {
			acting.Go(func() {
				switch n % 4 {
				case 0:
					_ = r.Disable(t.Context(), "acme")
				case 1:
					_ = r.Resume(t.Context(), "acme")
				default:
					_ = r.Enable(t.Context(), sums[n%3], installer.Consent{Downgrade: true})
				}
				_ = renew(t.Context(), r, "")
			})
		}
		acting.Wait()
		if err := r.Enable(t.Context(), sums[1], installer.Consent{Downgrade: true}); err != nil {
			t.Fatal(err)
		}
		works(t, r)
		if r.running() != sums[1] {
			t.Errorf("%s runs, the last word was %s", r.running(), sums[1])
		}
		waittest.Until(t, "one process is left", func() bool { return processes(t, filepath.Join(r.dir)) == 1 })
	})
}

// processes counts those that run from a folder, by their command line.
func processes(t *testing.T, dir string) (n int) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		if line, err := os.ReadFile(path); err == nil && strings.HasPrefix(string(line), dir) {
			n++
		}
	}
	return n
}
