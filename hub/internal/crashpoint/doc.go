// Package crashpoint names the steps of a renewal at which a test may kill the
// hub or its plugins. In the hub that people run At does nothing and is compiled
// away. A hub built with the tag crashpoints reads the environment:
//
//	EVERGRANT_TEST_CRASH=<step>[:<nth>][:plugin]
//
// The nth time (the first if it is left out) that the step is reached, the process
// kills itself with SIGKILL, or with ":plugin" every plugin that it runs, and goes
// on once they are dead. hub/chaos is who sets it.
package crashpoint
