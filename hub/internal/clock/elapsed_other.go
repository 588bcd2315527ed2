//go:build !linux

package clock

import "time"

// Boot is nil: only Linux provides a clock that includes suspend.
func Boot() func() time.Duration { return nil }

// BootID is "": nothing counts from the machine's start.
func BootID() string { return "" }
