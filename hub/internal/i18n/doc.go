// Package i18n says things in the reader's language: sentences from the
// catalogues active.en.toml and active.ru.toml, and times and durations as
// people say them.
//
// The walk: a request picks a language (Match) and a time zone and puts a
// Speaker into its context (With). Components then ask for sentences by key
// (T, N) and for times (Relative, Clock, Duration). A key that is in no
// catalogue is an error of ours that the tests find; a page still shows the key
// rather than failing.
package i18n
