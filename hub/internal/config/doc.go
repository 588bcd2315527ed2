// Package config reads the hub's configuration into one struct.
//
// The walk: Load lays defaults, the file, EVERGRANT_… variables and flags over
// each other, later ones winning; refuses unknown keys; reads each
// value by the type of its field; fills in what follows from other values; and
// checks the whole. All problems come in one *Error, each with its key, where it
// was written and what to write instead.
//
// A key is the path of koanf tags through Config, for example database.url. Its
// variable is EVERGRANT_ and the key in capitals, dots being underscores:
// EVERGRANT_DATABASE_URL. An empty value is as good as none.
package config
