// Package services carries out what is done to services and to requests for them: each act
// is one method that checks who may do it, does it, and records it with its outcome.
//
// What a plugin or a service is asked for (Add, Edit, Check and so on) is recorded before it
// is begun and after it has ended; Delete, Publish and requests are rows alone, in one
// transaction with their record. A change of hosts that an act brings is recorded by itself.
package services
