package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
)

// The lines of the page that the table of the scenes is between.
const (
	worldBegins = "<!-- world: written by make chaos -->"
	worldEnds   = "<!-- /world -->"
)

// row is a scene that was played.
type row struct {
	scene    scene
	postgres bool
	counted  counted
}

func (r row) database() string {
	if r.postgres {
		return "PostgreSQL"
	}
	return "SQLite"
}

// worldTable is Markdown, in the order of the scenes.
func worldTable(rows []row) []byte {
	place := func(r row) int {
		return slices.IndexFunc(scenes(), func(s scene) bool { return s.name == r.scene.name })
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.database(), b.database()))
	})
	var b bytes.Buffer
	b.WriteString("| scene | what happens | database | grants | lost | uncertain at the end | ended as nobody can help |\n|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		c := r.counted
		fmt.Fprintf(&b, "| `%s` | %s | %s | %d | %d | %d | %d |\n", r.scene.name, r.scene.what, r.database(), c.grants, c.lost, c.uncertain, c.declared)
	}
	b.WriteByte('\n')
	return b.Bytes()
}
