// Package plugindb reads and writes plugin packages with their files, the slots that say
// which version runs, and the keys that packages may be signed with.
package plugindb
