package main

import (
	"bytes"
	"fmt"
	"strings"
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

// key is the scene and the database, as a line of the table begins.
func (r row) key() string {
	return fmt.Sprintf("| `%s` | %s | %s |", r.scene.name, r.scene.what, r.database())
}

func (r row) line() string {
	c := r.counted
	return fmt.Sprintf("%s %d | %d | %d | %d | %d | %d | %s |", r.key(), c.grants, c.lost, c.doubleSpent, c.stale, c.uncertain, c.declared, c.remark)
}

// worldTable is Markdown, in the order of the scenes. Lines of before stay for scenes that
// were not played now; those of scenes that are no more go.
func worldTable(rows []row, before string) []byte {
	played := map[string]string{}
	for line := range strings.Lines(before) {
		if cells := strings.SplitAfterN(line, " | ", 4); len(cells) == 4 {
			played[strings.TrimSpace(cells[0]+cells[1]+cells[2])] = strings.TrimSpace(line)
		}
	}
	for _, r := range rows {
		played[r.key()] = r.line()
	}
	var b bytes.Buffer
	b.WriteString("| scene | what happens | database | grants | lost | double-spent | stale | uncertain at the end | ended as nobody can help | beside that |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, s := range scenes() {
		for _, postgres := range []bool{true, false} {
			if line, ok := played[row{scene: s, postgres: postgres}.key()]; ok {
				b.WriteString(line + "\n")
			}
		}
	}
	b.WriteByte('\n')
	return b.Bytes()
}
