//go:build !race

package endpoint_test

// crowd is how many ask at one time.
const crowd = 1000
