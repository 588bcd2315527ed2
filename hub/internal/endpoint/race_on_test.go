//go:build race

package endpoint_test

// crowd is how many ask at one time. The race detector itself breaks now and then when
// a thousand goroutines of a bubble end at one moment.
const crowd = 50
