// Package simulation runs three replicas of the hub's engine, and copies of them (the real
// rules, store, journal, exchanges, token source and scheduler), against one authorization
// server that detects reuse, all in one testing/synctest bubble, where hours pass in seconds. A seed
// decides what goes wrong and when: answers that come late or never, connections that
// break, gateways that answer in the service's place, replicas that crash at any step,
// renewals that stand still between two steps, flipped bits in a journal, data folders that
// are copied in use and started (clone.go).
//
// The walk: a World (world.go) has an Authority (authority.go) on a network in memory
// (network.go) and Replicas (replica.go). Fate (fate.go) is what the seed says; each of
// its answers depends on the seed and on what is asked about, not on who asks first, so
// that a run is repeated by its seed. Judge (judge.go) holds what the authority saw
// against what the protocol allows: a grant may only be lost where its answer reached no
// running replica.
//
//	make simulate                              # a few minutes, as in CI
//	make simulate ARGS="-seed=42 -for=1h"      # one run again
package simulation
