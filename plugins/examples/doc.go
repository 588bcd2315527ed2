// Package examples tests the worked plugins in other languages: node and python
// each hold a small library with the whole wire of a plugin, and a provider on
// top of it.
package examples
