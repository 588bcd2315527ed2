// Command chaos proves that Evergrant loses no grant: it kills real hubs and real
// plugins in the middle of renewals, races hubs against each other, takes their
// database, disk, name service and authorization server away, and lets the
// authorization server's own log judge. `make chaos` runs it; it is shipped to
// nobody.
//
// The walk: main.go runs the parts that -only chooses and closes with one line.
// Each part prepares grants by a hub inside this process (prepare.go), then works
// on hub processes (process.go) through their API (client.go). crash*.go is the
// crash matrix, race*.go the race, outage*.go are the outages; postgres.go,
// proxy.go, resolver.go and mount.go are what they break.
//
// # What is judged
//
// hub/chaos/authority ends a family of tokens when a spent refresh token comes
// back, and counts it: double-spent. A grant is lost if at the end of a part its
// connection cannot be renewed although the protocol allows it. A token is stale
// if a hub answers with one that the server would refuse at that moment.
package main
