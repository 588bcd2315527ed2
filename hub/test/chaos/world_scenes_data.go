package main

import (
	"slices"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

func rotating() []provider.RotationKind { return []provider.RotationKind{provider.RotationRotates} }

func revoking() []provider.RotationKind {
	return []provider.RotationKind{provider.RotationRotatesRevokesAccess}
}

func lateTimes(*stage) renewalTimes { return lateSendTimes() }

// scenesOfData are those of copied folders, stepped clocks and restored backups.
func scenesOfData() []scene {
	return slices.Concat([]scene{{
		name: "clone",
		what: "the data folder is copied from a running hub and started beside it, and both are started again and again (on SQLite, with its database: the copy waits until it is adopted)",
		on:   onBoth, kinds: rotating(), each: 40, times: dataTimes, play: clone,
	}, {
		name: "restore", what: "a backup of 15 s ago is put back (the SQLite file; pg_dump): everything was renewed since, and the hub was killed with replies in its journal",
		on: onBoth, kinds: rotating(), each: 40, times: dataTimes, play: restore,
	}, {
		name: "restore-folder", what: "a data folder of 15 s ago is put beside a database that has gone on",
		on: onBoth, kinds: rotating(), each: 40, times: dataTimes, play: restoreFolder, long: true,
	}, {
		name: "restore-reauthorized", what: "grants are authorized anew after a restore; then the folder comes back that has newer token sets of the grants before",
		on: onBoth, kinds: rotating(), each: 20, times: dataTimes, play: restoreReauthorized, long: true,
	}, {
		name: "restore-two", what: "pg_dump is put back under two replicas, each of which has renewed half of the grants last",
		on: onPostgres, kinds: rotating(), each: 40, times: dataTimes, play: restoreTwo, long: true,
	}, {
		name: "restore-folder-lost", what: "pg_dump is put back under two replicas, of which the folder of one is lost: what it had renewed last nobody can save",
		on: onPostgres, kinds: rotating(), each: 40, times: dataTimes, play: restoreFolderLost, long: true,
	}, {
		name: "standby", what: "PostgreSQL fails under load, and a standby that was 15 s behind is promoted under the running hub",
		on: onOwnPostgres, kinds: rotating(), each: 40, times: dataTimes, play: standby(1), long: true,
	}, {
		name: "staging", what: "a backup is restored to another place, detached, and a hub is started on it, while everything is due",
		on: onBoth, kinds: rotating(), each: 20, times: dataTimes, play: staging, long: true,
	}, {
		name: "fenced-intent", what: "a hub is stopped when it has committed an intent, a copy of its folder takes its identity and renews, the hub is woken",
		on: onPostgres, kinds: revoking(), each: 5, times: lateTimes, play: fencedIntent, long: true,
	}, {
		name: "fenced-writing", what: "the same right before the first byte",
		on: onPostgres, kinds: revoking(), each: 5, times: lateTimes, play: fencedWriting, long: true,
	}}, clockScenes("120s", 2*time.Minute), clockScenes("1000s", 1000*time.Second), clockScenes("2h", 2*time.Hour))
}
