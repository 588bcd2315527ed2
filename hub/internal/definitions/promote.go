package definitions

import (
	"archive/zip"
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"text/template"
	"time"

	"github.com/evergrant/evergrant/sdk"
)

//go:embed skeleton
var skeleton embed.FS

// Skeleton is a zip file with a plugin that serves a document under the same name of a
// provider: a Go module with the SDK beside it. Installed, it takes the place of the
// definition; services and connections stay as they are. From then on code can do what the
// document cannot say.
func Skeleton(name, document string, now time.Time) ([]byte, error) {
	var file bytes.Buffer
	z := &zipped{w: zip.NewWriter(&file), folder: "evergrant-provider-" + strings.ReplaceAll(name, ".", "-"), now: now}
	z.add("definition.yaml", []byte(document))
	z.addTemplates(name)
	z.addModule()
	z.addSDK()
	if z.err == nil {
		z.err = z.w.Close()
	}
	if z.err != nil {
		return nil, fmt.Errorf("write the plugin of %s: %w", name, z.err)
	}
	return file.Bytes(), nil
}

// zipped is a zip file that is being written; after an error nothing is added.
type zipped struct {
	w      *zip.Writer
	folder string
	now    time.Time
	err    error
}

func (z *zipped) add(name string, data []byte) {
	if z.err != nil {
		return
	}
	w, err := z.w.CreateHeader(&zip.FileHeader{Name: z.folder + "/" + name, Method: zip.Deflate, Modified: z.now})
	if err == nil {
		_, err = w.Write(data)
	}
	z.err = err
}

// addTemplates adds the files that name the plugin.
func (z *zipped) addTemplates(name string) {
	parsed, err := template.New("").Delims("[[", "]]").ParseFS(skeleton, "skeleton/*.tmpl")
	if err != nil {
		z.err = err
		return
	}
	for _, t := range parsed.Templates() {
		var out bytes.Buffer
		if err := t.Execute(&out, map[string]string{"Name": name, "Program": z.folder}); err != nil {
			z.err = err
			return
		}
		z.add(strings.TrimSuffix(t.Name(), ".tmpl"), out.Bytes())
	}
}

// addModule adds go.mod with what the SDK needs, so that the module builds at once.
func (z *zipped) addModule() {
	own, err := sdk.Source().ReadFile("go.mod")
	if err != nil {
		z.err = err
		return
	}
	_, rest, _ := strings.Cut(string(own), "\n") // the line of its name
	z.add("go.mod", []byte("module "+z.folder+"\n"+rest+
		"\nrequire github.com/evergrant/evergrant/sdk v0.0.0\n\n// The SDK that fits the hub that wrote this. Point it elsewhere to update.\nreplace github.com/evergrant/evergrant/sdk => ./sdk\n"))
	sums, err := sdk.Source().ReadFile("go.sum")
	if err != nil {
		z.err = err
		return
	}
	z.add("go.sum", sums)
}

// addSDK adds the SDK's source without its tests, which are its own concern.
func (z *zipped) addSDK() {
	err := fs.WalkDir(sdk.Source(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(name, "_test.go") {
			return err
		}
		data, err := sdk.Source().ReadFile(name)
		z.add(path.Join("sdk", name), data)
		return err
	})
	if z.err == nil {
		z.err = err
	}
}
