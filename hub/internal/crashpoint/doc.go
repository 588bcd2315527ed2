// Package crashpoint names the steps of a renewal, an authorization and a message at which a test may kill the
// hub or its plugins. In the hub that people run At does nothing and is compiled
// away. A hub built with the tag crashpoints reads the environment:
//
//	EVERGRANT_TEST_CRASH=<step>[:<nth>][:barrier][:plugin|:stop]
//
// The nth time (the first if it is left out) that the step is reached, the process
// kills itself with SIGKILL; with ":plugin" it kills every plugin that it runs, and
// goes on once they are dead; with ":stop" it stops itself with SIGSTOP, and goes on
// when it gets SIGCONT. With ":barrier" each thread that reaches the step before the nth waits
// there for it. hub/test/chaos is who sets it.
package crashpoint
