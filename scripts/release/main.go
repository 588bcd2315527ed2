// Command release prepares what a release of the modules consists of. scripts/release.sh
// and scripts/release-check.sh call it in the root of a working copy:
//
//	release edit VERSION                    writes the go.mod files as they are released
//	release sums VERSION REVISION           writes the checksums of sdk and plugins into the go.sum files
//	release proxy VERSION REVISION FOLDER   writes the modules as files of a module proxy (GOPROXY=file://FOLDER)
package main

import (
	"errors"
	"fmt"
	"os"
)

// module is one of those that are released together.
type module struct {
	path, folder string
}

const root = "github.com/evergrant/evergrant"

// modules in the order in which they need each other.
var modules = []module{
	{root + "/sdk", "sdk"},
	{root + "/plugins", "plugins"},
	{root, ""},
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "edit":
		return edit(args[1])
	case len(args) == 3 && args[0] == "sums":
		return sums(args[1], args[2])
	case len(args) == 4 && args[0] == "proxy":
		return proxy(args[1], args[2], args[3])
	}
	return errors.New("usage: release edit VERSION | sums VERSION REVISION | proxy VERSION REVISION FOLDER")
}
