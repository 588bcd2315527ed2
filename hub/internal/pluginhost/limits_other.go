//go:build unix && !linux

package pluginhost

// Only Linux provides these.

func ownMemoryOf(int) int64 { return 0 }

func deletedOf(int) int64 { return 0 }

func descendants(int) []int { return nil }

func killDescendants(int, []int) {}
