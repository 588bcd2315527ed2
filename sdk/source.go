// Package sdk holds the source of its own module, so that a program can write it out
// where the module cannot be downloaded: `evergrant plugin new` puts the matching SDK
// beside a new plugin.
package sdk

import "embed"

//go:embed go.mod go.sum *.go definition oauth/*.go provider/*.go providerplugin/*.go providertest proto
var source embed.FS

// Source is this module's source, without the tests of most packages.
func Source() embed.FS { return source }
