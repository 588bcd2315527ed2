// Package sandbox starts a program that is not trusted so that it can reach
// nothing but its own folder: no other file, no network, no other process.
//
// # The walk
//
// Command makes an exec.Cmd that does not run the program but this very
// executable, under the name ShimName, in name spaces of its own. The package's
// init (shim_linux.go) notices the name before anything else of the executable is
// set up, reads from a pipe what to run, and takes away, one layer after another,
// what a program normally has:
//
//   - files (root_linux.go): a new root with the program's folder, of a bounded size, and the system's libraries, read-only, if the program needs them;
//   - network and processes: empty name spaces, made by the clone;
//   - rights (rights_linux.go): a user of its own, no capability, no way to get one;
//   - limits (limits_linux.go): memory, descriptors, threads, no core dump;
//   - landlock (landlock_linux.go) and seccomp (seccomp_linux.go): the kernel's own
//     walls, which hold where name spaces cannot be had.
//
// Seccomp lets the program make no process and execute nothing, but for the one call
// that starts it (exec_linux.go); so what bounds one process bounds all of it.
//
// Then it says on a second pipe which of these it got, and becomes the program:
// the very file that the hub opened and hashed, by its descriptor and not by its
// name. Outcome reads what it said.
//
// A layer that the system does not give is left out and reported; with Required
// the program is then not started.
package sandbox
