// Command contractdoc writes docs/contract-reference.md from the comments of the contract
// with plugins, so that what people read is what the contract says. `make generate` runs it.
package main

import (
	"fmt"
	"os"
)

const (
	source = "proto/evergrant/provider/v1/provider.proto"
	target = "docs/contract-reference.md"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "contractdoc:", err)
		os.Exit(1)
	}
}

func write() error {
	text, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	return os.WriteFile(target, []byte(page(parse(string(text)))), 0o644) //nolint:gosec // G306: a page of the documentation
}
