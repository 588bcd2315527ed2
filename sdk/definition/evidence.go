package definition

import (
	"slices"
	"strings"
	"time"
)

// Evidence is what a fact is known from.
type Evidence struct {
	Kind EvidenceKind `yaml:"kind"`
	// Source is the address of the page, or what was seen; Second is the other one of two
	// independent sources.
	Source string `yaml:"source"`
	Second string `yaml:"second"`
	// Read is the day on which it was read or recorded.
	Read time.Time `yaml:"read"`
	// Note is for the administrator, of facts that are not verified.
	Note Text `yaml:"note"`
}

// EvidenceKind is how sure a fact is.
type EvidenceKind string

// The kinds of evidence.
const (
	// EvidenceVendor is a page of the vendor.
	EvidenceVendor EvidenceKind = "vendor"
	// EvidenceTwoSources is what two independent sources say.
	EvidenceTwoSources EvidenceKind = "two-sources"
	// EvidenceRecorded is a reply of the service that was seen.
	EvidenceRecorded EvidenceKind = "recorded"
	// EvidenceUnverified is shown to the administrator.
	EvidenceUnverified EvidenceKind = "unverified"
)

// Proven reports whether the kind is more than hearsay.
func (k EvidenceKind) Proven() bool {
	return k == EvidenceVendor || k == EvidenceTwoSources || k == EvidenceRecorded
}

// deciding are the parts of a document that decide renewal: each fact that it states there
// needs evidence.
var deciding = []string{"token", "lifetimes", "renewal", "errors", "static_key"}

// decides reports whether a fact at a path decides renewal.
func decides(path string) bool {
	first, _, _ := strings.Cut(path, ".")
	return slices.Contains(deciding, first)
}

// EvidenceOf returns the evidence of the fact at a path, such as "renewal.rotation", and
// the path that it is given for.
func (d *Definition) EvidenceOf(path string) (e Evidence, of string, ok bool) {
	for of = path; ; {
		if e, ok = d.Evidence[of]; ok {
			return e, of, true
		}
		dot := strings.LastIndexByte(of, '.')
		if dot < 0 {
			return Evidence{}, "", false
		}
		of = of[:dot]
	}
}

// Proven reports whether all the facts that decide renewal have evidence that is more than
// hearsay.
func (d *Definition) Proven() bool {
	for _, path := range d.facts {
		if e, _, ok := d.EvidenceOf(path); decides(path) && (!ok || !e.Kind.Proven()) {
			return false
		}
	}
	return true
}
