package pluginhost

import (
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/sandbox"
)

// Source is a plugin as it lies on disk.
type Source struct {
	// Name is the plugin's: of a file in the folder without evergrant-provider-.
	Name string
	// Path is the program, or the script of an interpreter.
	Path string
	// Sum is the SHA-256 that Path must have, in lower-case hex; "" takes what is
	// there.
	Sum string
	// Package is set for a plugin that was installed, not put into the folder.
	Package *Package
	// Documents are handed to a plugin that is made of documents.
	Documents Documents
}

// Package is what was approved of an installed plugin.
type Package struct {
	// Sum names the package: the SHA-256 of its manifest.
	Sum string
	// Version is the package's.
	Version string
	// Reports is the version that the program must say it has; "" is any.
	Reports string
	// Dir holds Files, the program or script among them under Entry.
	Dir, Entry string
	Files      []sandbox.File
	// Interpreter runs a script: node, python3; "" for a program.
	Interpreter string
	// MemoryMiB is the requested memory; 0 is the default.
	MemoryMiB int
	// Hosts by provider are what it may declare: the approved patterns.
	Hosts map[string][]string
	// ReplacedAt is when it replaced a version that it can be rolled back to; zero if
	// there is none.
	ReplacedAt time.Time
	// Rejected are the sums of packages of its name that were taken out of use.
	Rejected []string
	// LossesAccepted is set if its losses for services were accepted.
	LossesAccepted bool
}

// id identifies the content of a plugin.
func (s Source) id() string {
	id := "file " + s.Path
	if s.Package != nil {
		id = "package " + s.Package.Sum
	}
	if documents := s.Documents.Sum(); documents != "" {
		id += " documents " + documents
	}
	if s.Documents.LossesAccepted {
		id += " losses accepted" // what was refused for them gets another chance
	}
	return id
}

func (s Source) packageSum() string {
	if s.Package == nil {
		return ""
	}
	return s.Package.Sum
}

// approves returns the first host of a provider that was not approved, "" if all were.
// The operator of the hub approves what is in the folder by putting it there.
func (s Source) approves(providerName string, hosts []string) (refused string) {
	if s.Package == nil {
		return ""
	}
	if _, handed := s.Documents.document(providerName); handed {
		return "" // whoever enabled the document has approved it
	}
	approved, known := s.Package.Hosts[providerName]
	if !known {
		return "(the provider itself)"
	}
	for _, host := range hosts {
		if !slices.Contains(approved, host) {
			return host
		}
	}
	return ""
}
