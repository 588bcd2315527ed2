// Package catalogue knows which providers are on offer and makes services and
// connections of them.
//
// The walk: Providers lists what the plugins serve. AddService checks what an
// administrator entered against the provider's option schema, asks the provider
// about it (PrepareService: discovery, per-service hosts and lifetimes), and
// stores the service with its effective description. AddConnection names an
// account's grant to it; authflow then gets the grant. Refresh prepares services
// again whose plugin has changed.
package catalogue
