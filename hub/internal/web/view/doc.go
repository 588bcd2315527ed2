// Package view holds what pages show: plain values, derived from the domain and
// free of secrets, so that a page can be rendered without a hub behind it.
//
// The walk: a handler reads services and connections, makes a view of them
// (ConnectionOf, ProviderOf, …) and hands it with a Shell to a page. Only
// AccessCodes and NewKey hold a secret; they are shown once, to the person who
// asked.
package view
