package browser_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// author is somebody who writes a plugin with nothing but the evergrant program
// and a folder of their own.
type author struct {
	t         testing.TB
	evergrant string
	dir       string
}

func newAuthor(t testing.TB) *author {
	t.Helper()
	a := &author{t: t, dir: t.TempDir()}
	a.evergrant = filepath.Join(a.dir, "bin", "evergrant")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", a.evergrant, "../../../cmd/evergrant")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build evergrant: %v\n%s", err, out)
	}
	return a
}

// run runs a command of the author's in a folder and returns what it printed.
func (a *author) run(dir, name string, args ...string) string {
	a.t.Helper()
	cmd := exec.CommandContext(a.t.Context(), name, args...)
	cmd.Dir = filepath.Join(a.dir, dir)
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	shown := strings.ReplaceAll(strings.TrimSpace(string(out)), a.dir, "~")
	a.t.Logf("$ %s %s\n%s", filepath.Base(name), strings.ReplaceAll(strings.Join(args, " "), a.dir, "~"), shown)
	if err != nil {
		a.t.Fatalf("%s: %v", name, err)
	}
	return string(out)
}

// edit replaces a part of a file, as an author does by hand.
func (a *author) edit(path string, replacements ...string) {
	a.t.Helper()
	path = filepath.Join(a.dir, path)
	data, err := os.ReadFile(path)
	if err != nil {
		a.t.Fatal(err)
	}
	before := string(data)
	after := strings.NewReplacer(replacements...).Replace(before)
	if after == before {
		a.t.Fatalf("there was nothing to replace in %s", path)
	}
	if err := os.WriteFile(path, []byte(after), 0o644); err != nil {
		a.t.Fatal(err)
	}
	a.t.Logf("edited %s", filepath.Base(path))
}

var publicKeyRE = regexp.MustCompile(`RW[A-Za-z0-9+/=]{20,}`)

// write writes, proves, packs and signs a plugin for a service, by the author's
// guide. It returns the package's path and the public key.
func (a *author) write(name, service string) (pack, public string) {
	folder := "evergrant-provider-" + name
	a.begin(name, service)
	a.run(folder, "go", "test", "./...")
	pack = a.pack(name, "0.1.0")
	a.run(folder, a.evergrant, "plugin", "test", "./"+folder)
	said := a.run(".", a.evergrant, "plugin", "keygen", "key")
	public = publicKeyRE.FindString(said)
	a.run(".", a.evergrant, "plugin", "sign", pack, "--key", "key")
	a.run(".", a.evergrant, "plugin", "verify", pack, "--key", public)
	return pack, public
}

// begin writes a plugin for a service.
func (a *author) begin(name, service string) {
	a.run(".", a.evergrant, "plugin", "new", name)
	host := name + ".example"
	a.edit(filepath.Join("evergrant-provider-"+name, "provider.go"),
		"https://"+host+"/oauth", service, "https://"+host+"/api", service+"/api", `"`+host+`"`, `"`+service+`"`)
}

// pack builds and packs a version as it is written now.
func (a *author) pack(name, version string, options ...string) (file string) {
	folder := "evergrant-provider-" + name
	file = filepath.Join(a.dir, name+"-"+version+".evergrant-plugin")
	a.run(folder, "go", "build", "-trimpath", "-o", folder, ".")
	a.run(folder, a.evergrant, append([]string{"plugin", "pack", "./" + folder, "--version", version, "-o", file}, options...)...)
	return file
}

// The walk of a third party: a plugin is written outside the repository, proven,
// packed and signed, handed in in the browser to a hub that runs, approved,
// enabled, and connects to its service. The hub is not restarted.
func TestAPluginOfAThirdPartyIsWrittenInstalledAndConnected(t *testing.T) {
	b := hubtest.StartBrowser(t, 1280, 900)
	service := authserver.New(authserver.Config{AccessTokenLife: time.Minute})
	address, err := service.Start("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Close() })
	a := newAuthor(t)
	pack, public := a.write("parcels", address)

	r := hubtest.StartHub(t, nil)
	b.SetUp(r)
	b.Open(r.Hub.URL() + "/plugins")
	b.Fill("title", "The author of parcels")
	b.Fill("public", public)
	b.Click(`form[action="/plugin-keys"] button[type=submit]`)
	b.See("Signatures of The author of parcels count")
	b.Click(`[data-opens="install"]`)
	b.Do("choose the package", chromedp.SetUploadFiles(chromedp.CSS(`#install input[type=file]`), []string{pack}))
	b.Click("#install button[type=submit]")
	b.See("parcels 0.1.0 was handed in")
	b.See("Verified")
	b.See("proven")
	takePicture(t, b, "plugin-verified")
	b.Click(`[data-opens^="approve-"]`)
	b.See(address)
	takePicture(t, b, "plugin-approve")
	b.Click(`dialog[open] input[name=confirm]`) // parcels is a name without a publisher
	b.Click(`dialog[open] button[type=submit]`)
	b.See("parcels 0.1.0 is approved")
	b.Click(`[data-opens^="enable-"]`)
	b.Click(`dialog[open] button[type=submit]`)
	b.See("parcels 0.1.0 runs")
	b.See("In use")

	b.Open(r.Hub.URL() + "/services/new")
	b.Click(`a[href="/services/new/parcels"]`)
	b.Fill("title", "Parcels")
	b.Fill("name", "parcels")
	b.Fill("client_id", "client")
	b.Fill("client_secret", "secret")
	b.Click("form.eg-page-narrow button[type=submit].btn-primary")
	b.See("Parcels is added")
	b.Open(r.Hub.URL() + "/connections/new?service=parcels")
	b.Fill("title", "Our parcels")
	b.Fill("name", "our-parcels")
	b.Click(`button[name="then"][value="authorize"]`)
	b.Wait(`button[name="decision"][value="allow"]`)
	b.Click(`button[name="decision"][value="allow"]`)
	b.Wait("#status")

	token := r.Admin.Pull(t, "our-parcels")
	if token.AccessToken == "" || token.Generation != 1 {
		t.Fatalf("pulled %+v", token)
	}
	r.Admin.Must(t, "POST", "/api/v1/connections/our-parcels/renew", nil, nil)
	if next := r.Admin.Pull(t, "our-parcels"); next.AccessToken == token.AccessToken {
		t.Error("the token was not renewed by the new plugin")
	}
	b.Open(r.Hub.URL() + "/plugins/parcels")
	b.See("Running")
	b.See(address)
	b.See("How it is confined")
	takePicture(t, b, "plugin")

	var audit struct{ Items []struct{ Act, Actor string } }
	r.Admin.Must(t, "GET", "/api/v1/audit?act=plugin.&outcome=done", nil, &audit)
	var acts []string
	for _, record := range audit.Items {
		acts = append([]string{record.Actor + " " + record.Act}, acts...)
	}
	want := "anna plugin.trust, anna plugin.stage, anna plugin.approve, anna plugin.enable"
	if got := strings.Join(acts, ", "); got != want {
		t.Errorf("the audit record says %s, want %s", got, want)
	}
}

// takePicture takes the page that is open, if pictures are wanted.
func takePicture(t *testing.T, b *hubtest.Browser, name string) {
	t.Helper()
	if dir := os.Getenv("EVERGRANT_SCREENSHOTS"); dir != "" {
		(&camera{Browser: b, dir: dir, width: 1280, height: 900}).here(name, "en")
	}
}
