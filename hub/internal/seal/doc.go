// Package seal encrypts secrets at rest: client secrets, token sets,
// authorization verifiers, session data, journaled replies.
//
// The walk: a hub opens its keyset once (Open, OpenOrCreate or FromKey) and has
// a Box. Box.Seal binds each ciphertext to its place, table|id|column, so that
// one that is moved to another row does not open. A ciphertext starts with the
// id of its key, so a rotated keyset opens what older keys have sealed.
//
// The keyset is a Tink AEAD keyset of AES-256-GCM keys in JSON, in clear: the
// file's mode protects it. Without it no sealed value can be read again, so it
// must be backed up, apart from the database.
package seal
