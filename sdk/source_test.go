package sdk_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/sdk"
)

// Whoever builds from Source gets what is in the repository: a new folder must
// not be forgotten.
func TestSourceHoldsEveryPackageOfTheModule(t *testing.T) {
	embedded := map[string]bool{}
	files := 0
	err := fs.WalkDir(sdk.Source(), ".", func(name string, entry fs.DirEntry, err error) error {
		embedded[name] = true
		files++
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(name, ".go") && !embedded[name] {
			t.Errorf("%s is not in Source", name)
		}
		return err
	})
	if err != nil || !embedded["go.mod"] || !embedded["go.sum"] || files < 50 {
		t.Errorf("%d files, %v", files, err)
	}
}
