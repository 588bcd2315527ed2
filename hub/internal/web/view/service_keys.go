package view

import (
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// ServiceKeys are the keys that the hub keeps for a service.
type ServiceKeys struct {
	Name, Title string
	// JWKS is the address of the public parts.
	JWKS string
	Keys []ServiceKey
}

// ServiceKey is one key with its versions, the newest first.
type ServiceKey struct {
	Declared           provider.Key
	MayMake, MayImport bool
	Versions           []KeyVersion
}

// Published reports whether the public part is in the published set.
func (k ServiceKey) Published() bool { return k.Declared.Use == provider.KeySignature }

// KeyVersion is one version of a key.
type KeyVersion struct {
	KeyID, Algorithm            string
	State                       KeyState
	Imported                    bool
	CreatedAt, UsedFrom, EndsAt time.Time
	// Certificate is the chain in PEM; "" without one.
	Certificate string
	// Ended is set if the end of a certificate in use has passed, and Near also if it comes
	// within 30 days.
	Ended, Near bool
}

// KeyState is what a version is for now.
type KeyState string

// The states of a version.
const (
	KeyInUse    KeyState = "in_use"
	KeyNext     KeyState = "next"
	KeyReplaced KeyState = "replaced"
)
