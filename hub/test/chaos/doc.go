// Command chaos proves that Evergrant loses no grant: it kills real hubs and real
// plugins in the middle of renewals, races hubs against each other, takes their
// database, disk, name service and authorization server away, and lets the
// authorization server's own log judge. `make chaos` runs it; it is shipped to
// nobody.
//
// The walk: main.go runs the parts that -only chooses and closes with one line.
// Each part prepares grants by a hub inside this process (prepare.go), then works
// on hub processes (process.go) through their API (client.go). crash*.go is the
// crash matrix, authorization.go kills hubs in an authorization, race*.go is the race, outage*.go are the outages; world*.go are scenes
// of late answers, freezes and missing disks, each at a venue of its own (venue.go);
// random*.go lets a seed decide. postgres.go, proxy.go, resolver.go, mount.go and
// freeze.go are what they break. settings.go has all settings of the hubs.
//
// # What is judged
//
// hub/test/chaos/authority ends a family of tokens when a spent refresh token comes
// back, and counts it: double-spent. It serves what it has received to the end,
// also when the hub has gone. A grant is lost if at the end of a part its
// connection cannot be renewed although the protocol allows it. A token is stale
// if a hub answers with one that the server would refuse at that moment.
package main
