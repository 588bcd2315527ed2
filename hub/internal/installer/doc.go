// Package installer brings plugins of others into the hub: a package is handed in,
// checked, approved and enabled, three acts by people who have to answer for them.
//
// # The walk
//
// Receive and Keep (stage.go) take a package's file, from an upload, the API or the folder of
// plugins. pluginpack checks it whole; what is refused leaves nothing. If a trusted
// key has signed it, it is verified, else only staged, with the reason. Its file
// goes into the database, so that every replica has it.
//
// Approve (enable.go) records that an administrator allows the plugin to run here and to
// reach the hosts of its manifest. Enable points the plugin's slot to the package; an
// older version needs a confirmation. Disable, Pin, Rollback and Remove change or delete
// the slot. Package app/plugins checks who may do each act, and records it.
//
// Sync (sync.go) makes this replica as the slots say: it unpacks what is missing
// into a folder named by the package's sum, which is written once and never changed,
// and has the host scan. Watch (watch.go) does that when another replica has acted.
// The host starts a new version beside the old one; what does not work, or keeps
// failing soon after, comes back through Quarantine: the package is put aside and the
// slot points to the version before.
package installer
