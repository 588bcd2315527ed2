// Package servicedb reads and writes services, what is published of them on the front
// page, and how often that is used. Services that were read are cached while their row
// has not changed.
package servicedb
