// Package foreign has tests of a whole hub, with the plugin oauth2 as a process, against
// authorization servers that were written by others: what is granted there is pulled and
// renewed, by each way of client authentication, and a grant that is over there needs a
// person here. Each server has a file. Those in Go are built from the folders below, each a
// module of its own, so that the hub does not depend on them.
package foreign
