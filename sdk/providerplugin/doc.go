// Package providerplugin carries the provider contract between processes, over
// hashicorp/go-plugin and gRPC. Plugins call Serve, hubs use Client.
//
// # The walk of an operation
//
// The hub opens one bidirectional stream for each operation and sends start.
// The plugin's provider runs against an *http.Client whose transport
// (transport.go) sends each request back up the stream; Client hands it to the
// hub's Relay, which checks the host, sends it, journals the reply, and only
// then lets Client send the reply down. The stream ends with a result or a
// status whose ErrorDetail says who has to act.
//
// Everything that names a protocol version is in files that begin with it
// (v1_*.go): they convert and check, and nothing generated travels further. A
// version 2 is a second set of such files and a second entry in Plugins.
package providerplugin
