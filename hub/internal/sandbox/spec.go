package sandbox

import (
	"fmt"
	"strings"
)

// ShimName is the name under which this executable becomes a program in a sandbox.
const ShimName = "evergrant-sandbox"

// Mode says how much of the sandbox a program must have.
type Mode string

// The modes.
const (
	// Off starts programs with nothing but limits of the hub's own.
	Off Mode = "off"
	// BestEffort takes what the system gives.
	BestEffort Mode = "best-effort"
	// Required refuses to start a program when a layer is missing.
	Required Mode = "required"
)

// Layer is one wall around a program.
type Layer struct {
	// Name is one of files, network, processes, user, limits, landlock, seccomp.
	Name string `json:"name"`
	// On is set if the wall stands.
	On bool `json:"on"`
	// Detail says what it is like, or why it is missing.
	Detail string `json:"detail,omitempty"`
}

// The names of layers.
const (
	LayerFiles     = "files"
	LayerNetwork   = "network"
	LayerProcesses = "processes"
	LayerUser      = "user"
	LayerLimits    = "limits"
	LayerLandlock  = "landlock"
	LayerSeccomp   = "seccomp"
)

// Names lists the layers in the order in which they are shown.
var Names = []string{LayerFiles, LayerNetwork, LayerProcesses, LayerUser, LayerLimits, LayerLandlock, LayerSeccomp}

// Missing names the layers that are not on, with the reason.
func Missing(layers []Layer) []string {
	var missing []string
	for _, l := range layers {
		if !l.On {
			missing = append(missing, l.Name+" ("+l.Detail+")")
		}
	}
	return missing
}

// MissingError is returned with Required when the system lacks a layer.
type MissingError struct{ Layers []Layer }

// Error implements error.
func (e *MissingError) Error() string {
	return "the sandbox is required and this system does not give all of it: " + strings.Join(Missing(e.Layers), ", ") +
		"; set plugins.sandbox to best-effort to run it nevertheless"
}

// Program says what to run and what it may have.
type Program struct {
	// Name is its first argument.
	Name string `json:"name"`
	// Dir is its private folder, the only place where it may write; it is the same
	// path inside and outside. See Started.Folder.
	Dir string `json:"dir"`
	// Env is its whole environment.
	Env []string `json:"env"`
	// System gives it the system's libraries to read: it is linked dynamically, or
	// run by an interpreter.
	System bool `json:"system,omitempty"`
	// Interpreter is the absolute path of what runs Script; "" for a program.
	Interpreter string `json:"interpreter,omitempty"`
	// Script is the path of the script inside Tree.
	Script string `json:"script,omitempty"`
	// Tree is the folder with the script and what it imports. With Files it is copied
	// and checked, without it is shown as it is.
	Tree  string `json:"tree,omitempty"`
	Files []File `json:"files,omitempty"`
	// Memory bounds its data, in bytes.
	Memory uint64 `json:"memory"`
	// Disk bounds the files in Dir, in bytes, where the sandbox can make a file
	// system for them. Elsewhere the caller has to look.
	Disk uint64 `json:"disk"`
	// UID is the user and group that it runs as, if the hub may change to them; 0 leaves
	// the hub's.
	UID uint32 `json:"uid,omitempty"`
	// Required as Mode Required.
	Required bool `json:"required,omitempty"`
	// Spaces is set by Command if it is started in name spaces, and SpacesError why it
	// is not. OwnUsers is set if one of them is of users.
	Spaces      bool   `json:"spaces,omitempty"`
	SpacesError string `json:"spaces_error,omitempty"`
	OwnUsers    bool   `json:"own_users,omitempty"`
}

// File is a file of a tree that is checked before it is used.
type File struct {
	Path string `json:"path"`
	// SHA256 in lower-case hex, Size in bytes.
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// report is what the shim says before it becomes the program.
type report struct {
	Layers []Layer `json:"layers"`
	// Error ends the start; Refused if it is for a missing layer.
	Error   string `json:"error,omitempty"`
	Refused bool   `json:"refused,omitempty"`
}

func (r report) outcome() ([]Layer, error) {
	switch {
	case r.Refused:
		return r.Layers, &MissingError{Layers: r.Layers}
	case r.Error != "":
		return r.Layers, fmt.Errorf("prepare its sandbox: %s", r.Error)
	}
	return r.Layers, nil
}
