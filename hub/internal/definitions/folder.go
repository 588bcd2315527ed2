package definitions

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/evergrant/evergrant/sdk/definition"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Folder is the folder whose files are taken when they change. It is safe for concurrent
// use.
type Folder struct {
	dir string

	mu sync.Mutex
	// files are those that were seen, by their name.
	files map[string]*seen
	// trouble is why the folder cannot be read; "" if it can.
	trouble string
}

// seen is a file as it was last looked at.
type seen struct {
	stamp string
	note  FileNote
}

// File is a file that is new, has changed or is gone.
type File struct {
	// Name is the file's, without its folder.
	Name string
	Text string
	// First is set if it is seen for the first time in this run.
	First bool
	// Gone is set for one that is not there any more; Definition is then what it was.
	Gone       bool
	Definition string
}

// FileNote is what was made of a file.
type FileNote struct {
	// Name is the file's.
	Name string
	// Definition is the name in the document that was last taken of it; "" is none.
	Definition string
	// Said is why it is not served as it is now; empty if it is. Problems have lines.
	Said     provider.Text
	Problems definition.ParseErrors
	// Gone is set if the file was removed, and what it was is still served.
	Gone bool
}

func newFolder(dir string) *Folder { return &Folder{dir: dir, files: map[string]*seen{}} }

// Dir is the folder; "" is none.
func (f *Folder) Dir() string { return f.dir }

// Changes returns the files that have changed since they were last returned, by name. A
// folder that cannot be read now changes nothing. Errors: why it cannot, once.
func (f *Folder) Changes() ([]File, error) {
	if f.dir == "" {
		return nil, nil
	}
	stamps, err := f.stamps()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		told := f.trouble == err.Error()
		if f.trouble = err.Error(); told {
			return nil, nil
		}
		return nil, fmt.Errorf("look into the folder of definitions: %w", err)
	}
	f.trouble = ""
	return append(f.changed(stamps), f.gone(stamps)...), nil
}

// changed are the files that are new or have another stamp. The caller holds mu.
func (f *Folder) changed(stamps map[string]string) (files []File) {
	for _, name := range slices.Sorted(maps.Keys(stamps)) {
		known := f.files[name]
		if known != nil && known.stamp == stamps[name] {
			continue
		}
		text, err := f.read(name)
		if err != nil {
			continue // it is looked at again
		}
		first := known == nil
		if first {
			known = &seen{note: FileNote{Name: name}}
			f.files[name] = known
		}
		known.stamp = stamps[name]
		files = append(files, File{Name: name, Text: text, First: first})
	}
	return files
}

// read reads a file, of one that is too large as much as says so.
func (f *Folder) read(name string) (string, error) {
	file, err := os.Open(filepath.Join(f.dir, name))
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, definition.MaxSize+1))
	return string(text), err
}

// gone are the files that were there before. The caller holds mu.
func (f *Folder) gone(stamps map[string]string) (files []File) {
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		if _, there := stamps[name]; there || f.files[name].stamp == "" {
			continue
		}
		f.files[name].stamp = ""
		files = append(files, File{Name: name, Gone: true, Definition: f.files[name].note.Definition})
	}
	return files
}

// stamps change with each file. What a hidden file has is not for the hub.
func (f *Folder) stamps() (map[string]string, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	stamps := map[string]string{}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") || filepath.Ext(name) != ".yaml" {
			continue
		}
		info, err := os.Stat(filepath.Join(f.dir, name)) // a mounted one is a link
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		stamps[name] = fmt.Sprint(info.Size(), " ", info.ModTime().UnixNano())
	}
	return stamps, nil
}

// Note keeps what was made of a file, for people. One that is gone and served no more is
// forgotten.
func (f *Folder) Note(n FileNote) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.files[n.Name]
	switch {
	case known == nil:
	case n.Definition == "" && !n.Gone && known.stamp == "":
		delete(f.files, n.Name)
	default:
		if n.Definition == "" {
			n.Definition = known.note.Definition
		}
		known.note = n
	}
}

// Again has a file be returned by the next Changes: what kept it from being taken may pass.
func (f *Folder) Again(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known := f.files[name]; known != nil && known.stamp != "" {
		known.stamp = "again"
	}
}

// Notes are those of all files that are not served as they are, by name.
func (f *Folder) Notes() (notes []FileNote) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		if n := f.files[name].note; !n.Said.IsZero() || n.Gone {
			notes = append(notes, n)
		}
	}
	return notes
}
