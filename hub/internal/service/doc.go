// Package service holds the domain value of a service: a provider plus our
// client registration there, as an administrator added it. It does no I/O; store
// keeps services, and operation hands them to providers.
package service
