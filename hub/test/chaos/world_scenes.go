package main

import (
	"context"

	"github.com/evergrant/evergrant/sdk/provider"
)

// scene is one fault of the world around a hub, played on connections of its own.
type scene struct {
	name string
	// what is for the page.
	what string
	on   databases
	// kinds have so many connections each.
	kinds []provider.RotationKind
	each  int
	times func(*stage) renewalTimes
	play  func(context.Context, *venue) error
	// long scenes are left out of a short run.
	long bool
	// steps is set where clocks step: hubs are built, and a PostgreSQL of the scene's own
	// is started, so that they do.
	steps bool
}

// databases are those that a scene is played on.
type databases int

const (
	onBoth databases = iota
	onPostgres
	onSQLite
	onOwnPostgres // a server of its own, which the scene stops
)

func scenes() []scene {
	rotates := []provider.RotationKind{provider.RotationRotates}
	unsafe := []provider.RotationKind{provider.RotationRotates, provider.RotationRotatesRevokesAccess}
	revokes := unsafe[1:] // nothing is gained by waiting for the end of the access token
	frozen := func(*stage) renewalTimes { return frozenTimes() }
	sends := func(*stage) renewalTimes { return lateSendTimes() }
	return append([]scene{{
		name: "endpoint-stall", what: "the endpoint accepts requests and serves them all 75 s later",
		on: onBoth, kinds: unsafe, each: 20, times: worldTimes, play: endpointStall,
	}, {
		name: "late-answer", what: "the token is rotated at once, the answer comes after 33 s",
		on: onBoth, kinds: unsafe, each: 5, times: worldTimes, play: lateAnswer,
	}, {
		name: "late-send-intent", what: "a hub is stopped when it has committed an intent, another replica takes over, the first one is woken",
		on: onPostgres, kinds: revokes, each: 5, times: sends, play: lateSendIntent,
	}, {
		name: "late-send-dialled", what: "the same when it has made the connection to the service",
		on: onPostgres, kinds: revokes, each: 5, times: sends, play: lateSendDialled,
	}, {
		name: "late-send-writing", what: "the same right before the first byte",
		on: onPostgres, kinds: revokes, each: 5, times: sends, play: lateSendWriting,
	}, {
		name: "plugin-frozen", what: "the plugin is stopped for 6 s, with a time-out of 5 s, while answers come",
		on: onBoth, kinds: rotates, each: 20, times: frozen, play: pluginFrozen,
	}, {
		name: "hub-paused", what: "hub and plugin are stopped for 9 s, with a time-out of 5 s, while answers come",
		on: onBoth, kinds: unsafe, each: 4, times: frozen, play: hubPaused,
	}, {
		name: "database-late", what: "the hub is killed with replies in its journal, and started 10 s before PostgreSQL",
		on: onOwnPostgres, kinds: rotates, each: 5, times: worldTimes, play: databaseLate,
	}, {
		name: "journal-bit", what: "the hub is killed with replies in its journal, of which a bit is flipped, a third in",
		on: onSQLite, kinds: rotates, each: unlearned, times: worldTimes, play: journalBit,
	}, {
		name: "journal-folder-gone", what: "the journal's folder is removed under the running hub, everything is renewed, the hub is killed",
		on: onBoth, kinds: rotates, each: unlearned, times: worldTimes, play: journalFolderGone,
	}, {
		name: "gateway", what: "a proxy answers 504 when the service has served the request",
		on:    onBoth,
		kinds: []provider.RotationKind{provider.RotationNone, provider.RotationRotatesWithGrace, provider.RotationRotates},
		each:  5, times: worldTimes, play: gateway,
	}}, scenesOfData()...)
}
