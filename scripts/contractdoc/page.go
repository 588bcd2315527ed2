package main

import (
	"fmt"
	"strings"
)

const head = `# Reference of the contract with plugins

This page is written from the comments of ` + "`proto/evergrant/provider/v1/provider.proto`" + ` by ` + "`make generate`" + `; change it there.
[plugin-authors.md](plugin-authors.md) says how the contract is used, [contract.md](contract.md) how it changes.

`

// page is the reference in Markdown.
func page(definitions []definition) string {
	var out strings.Builder
	out.WriteString(head)
	for _, d := range definitions {
		fmt.Fprintf(&out, "## %s\n\n", d.name)
		if d.comment != "" {
			fmt.Fprintf(&out, "%s\n\n", escaped(d.comment))
		}
		if d.kind == "service" {
			methods(&out, d)
			continue
		}
		table(&out, d)
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// methods have comments with lists of their own, which no cell of a table takes.
func methods(out *strings.Builder, d definition) {
	for _, m := range d.members {
		fmt.Fprintf(out, "### %s\n\n`%s`\n\n```text\n%s\n```\n\n", m.name, m.of, m.comment)
	}
}

func table(out *strings.Builder, d definition) {
	columns := "| field | number | type | |\n|---|---|---|---|\n"
	if d.kind == "enum" {
		columns = "| value | number | |\n|---|---|---|\n"
	}
	out.WriteString(columns)
	for _, m := range d.members {
		said := strings.ReplaceAll(escaped(m.comment), "\n", " ")
		if d.kind == "enum" {
			fmt.Fprintf(out, "| `%s` | %s | %s |\n", m.name, m.number, said)
			continue
		}
		fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", m.name, m.number, escaped(m.of), said)
	}
	out.WriteString("\n")
}

// escaped keeps the text of a comment from being read as markup.
func escaped(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`, "{", `\{`, "}", `\}`).Replace(text)
}
